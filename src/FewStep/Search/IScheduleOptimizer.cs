namespace FewStep.Search;

/// <summary>Finds sampling schedules by an objective and a search of its own. Model, images, latents and teacher belong to the optimiser's
/// constructor.</summary>
public interface IScheduleOptimizer
{
    /// <summary>Short name for the command line and reports, e.g. <c>phase1</c>.</summary>
    string Name { get; }

    /// <summary>Finds a schedule for each requested number of steps, sharing between them what can be shared.</summary>
    /// <param name="request">What to find.</param>
    /// <param name="progress">Receives how far the search is; null for nobody.</param>
    /// <param name="cancellation">Stops the search.</param>
    /// <returns>At least one result for each requested number of steps, in the requested order; an optimiser of several objectives returns
    /// all results of its first objective first.</returns>
    /// <exception cref="InvalidInputException">The request cannot be met.</exception>
    /// <exception cref="OperationCanceledException">The search was cancelled.</exception>
    IReadOnlyList<ScheduleSearchResult> Search(
        ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default);
}
