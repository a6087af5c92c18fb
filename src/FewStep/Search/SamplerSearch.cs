using FewStep.Data;
using FewStep.Sampling;
using FewStep.Shards;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>Searches samplers for a model with one or several optimisers, which share images and loss curve; both are opened and measured
/// when an optimiser first asks for them.</summary>
/// <param name="model">The model; not disposed.</param>
/// <param name="images">Opens the images that it was trained on; called once at most, and what it gives is not disposed here.</param>
internal sealed class SamplerSearch(Model model, Func<IImageSet> images, IReadOnlyList<int> steps, FindOptions options)
{
    private IImageSet? _images;

    /// <summary>Called with a loss curve that was measured, before it is used.</summary>
    public Action<LossCurve>? CurveMeasured { get; init; }

    /// <summary>The loss curve; null until an optimiser asked for it.</summary>
    public LossCurve? Curve { get; private set; } = options.LossCurve;

    /// <summary>The stage of divided work that the loss curve is measured in; null (default) to measure all of it.</summary>
    public Division? Division { get; init; }

    /// <summary>Measures the loss curve, or does a stage of that.</summary>
    /// <returns>The curve; null after one share of the work.</returns>
    public LossCurve? MeasureCurve(IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var weightings = DiscretizationLossOptimizer.Weightings(options.Power);
        var measurement = options.Curve with { Seed = options.Seed, Steps = steps, Weightings = weightings };
        Curve = model.MeasureCurve(Images(), measurement, Division, progress, cancellation);
        if (Curve is not null)
            CurveMeasured?.Invoke(Curve);
        return Curve;
    }

    public IReadOnlyList<FoundSampler> Find(
        IReadOnlyList<ScheduleOptimizerChoice> choices, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var weightings = DiscretizationLossOptimizer.Weightings(options.Power);
        var solver = SolverCatalog.Find(options.Solver);
        LossCurve LossCurve() => Curve ?? MeasureCurve(progress, cancellation)!;

        var context = new ScheduleSearchContext
        {
            Denoiser = model.Denoiser,
            Solver = solver,
            // An optimiser that can do without the curve gets it where it is known or measured anyway.
            LossCurve = Curve is not null || choices.Any(c => c.Entry.NeedsLossCurve) ? LossCurve : null,
            TrainingImages = () => model.Trained(Images()),
            Images = options.Images,
            FirstSeed = SeedPlan.Searched(options.Seed),
        }.Checked();
        var request = ScheduleSearchRequest.For(model, steps);
        request.Validate();
        List<FoundSampler> found = [];
        foreach (var choice in choices)
        {
            bool weighted = choice.Entry == DiscretizationLossOptimizer.Entry && choice.Parameter is null;
            var optimizer = weighted ? new DiscretizationLossOptimizer(LossCurve(), weightings) : choice.Create(context);
            var results = optimizer.Search(request, progress, cancellation);
            long? seed = choice.Entry.NeedsLossCurve ? Curve?.Origin.Seed : options.Seed;
            foreach (var (result, i) in results.Select((r, i) => (r, i)))
            {
                var by = weighted ? DiscretizationLossOptimizer.Choice(weightings[i / steps.Count]) : choice;
                found.Add(new FoundSampler(choice, result, new Sampler(result.Schedule, solver)
                {
                    Origin = new SamplerOrigin
                    {
                        Schedule = by.Text,
                        Source = by.Source,
                        Objective = result.Objective,
                        Loss = result.Loss.Interval,
                        Evaluations = result.NetworkEvaluations,
                        ModelHash = model.NetworkHash,
                        DataHash = _images?.Hash,
                        Seed = seed,
                    },
                }));
            }
        }

        return found;
    }

    private IImageSet Images() => _images ??= model.Fitting(images());
}

/// <summary>A sampler that was found, with what the search has to tell.</summary>
internal sealed record FoundSampler(ScheduleOptimizerChoice By, ScheduleSearchResult Result, Sampler Sampler)
{
    /// <summary>Writes the sampler in a file of its own.</summary>
    /// <returns>The file.</returns>
    public string Save(string folder)
    {
        string name = Result.Weighting is null ? By.Text : $"{By.Entry.Name}-{Result.Weighting}";
        name = By.Entry.IsForSolver ? $"{name}-{Sampler.Solver.Name}" : name;
        string path = Path.Combine(folder, InvariantText.Of(
            $"{name.Replace(' ', '-').Replace(':', '-').Replace('=', '-')}-n{Sampler.Steps}{SamplerFile.Extension}"));
        Sampler.Save(path);
        return path;
    }
}
