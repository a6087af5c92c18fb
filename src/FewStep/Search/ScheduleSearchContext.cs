using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>What schedule optimisers may use of a model: each takes from it what its objective needs, and nothing is measured before it is
/// asked for.</summary>
internal sealed record ScheduleSearchContext
{
    public required IDenoiser Denoiser { get; init; }

    /// <summary>The solver that the schedules are made for. Only optimisers that say so in their entry look at it.</summary>
    public required ISolver Solver { get; init; }

    /// <summary>The model's training loss curve, measured when first asked for and the same ever after; null (default) where there are no
    /// images to measure it on.</summary>
    public Func<LossCurve>? LossCurve { get; init; }

    /// <summary>Images that the model was trained on, opened when first asked for; null (default) where there are none.</summary>
    public Func<ITrainingImages>? TrainingImages { get; init; }

    /// <summary>Number of latents (or images) of a search with trajectories, 2 or more; null (default) for the optimiser's own.</summary>
    public int? Images { get; init; }

    /// <summary>Seed of the first latents; by default those that belong to searches alone. A search uses successive seeds from
    /// there.</summary>
    public long FirstSeed { get; init; } = SeedPlan.FirstSearched;

    /// <summary>Images in one call of the denoiser, 1 or more; default 64. It changes speed and memory, and the numbers only as far as the
    /// network's rounding does.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>Runs the model from latents, for one search.</summary>
    internal PairedSampling Sampling() => new(Denoiser, BatchSize);

    public LossCurve RequireLossCurve(string optimizer) =>
        LossCurve?.Invoke() ?? throw new InvalidInputException(
            $"The optimiser {optimizer} needs a loss curve: give the images that the model was trained on, or a measured curve.");

    /// <returns>These options, where they are valid.</returns>
    public ScheduleSearchContext Checked() =>
        new OptionRules("The schedule search cannot start")
            .Require(Images is null or >= 2, $"a search needs at least 2 images, not {Images}")
            .Require(FirstSeed >= 0 && FirstSeed <= Latents.MaximumSeed,
                $"the first seed must lie between 0 and {Latents.MaximumSeed}, not {FirstSeed}")
            .Require(BatchSize >= 1, $"the batch size must be at least 1, not {BatchSize}")
            .Check(this);
}
