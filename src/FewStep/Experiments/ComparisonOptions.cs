using FewStep.Metrics;
using FewStep.Noise;
using FewStep.Platform;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>What a comparison of solvers and schedules is to measure.</summary>
public sealed record ComparisonOptions
{
    private const int MaximumNumber = 1000;

    /// <summary>Folder for measurements, searches and pictures; what lies there already is not done again.</summary>
    public required string Folder { get; init; }

    /// <summary>The solvers, at least one; their names differ.</summary>
    public required IReadOnlyList<ISolver> Solvers { get; init; }

    /// <summary>The schedules, at least one; their names differ.</summary>
    public required IReadOnlyList<ComparisonSchedule> Schedules { get; init; }

    /// <summary>What is held equal between solvers; default <see cref="ComparisonAxis.Evaluations"/>.</summary>
    public ComparisonAxis Axis { get; init; } = ComparisonAxis.Evaluations;

    /// <summary>Network evaluations an image (or steps, see <see cref="Axis"/>) to compare at, each 1 to 1,000, in increasing order; default 4, 6, 8 and 10.</summary>
    public IReadOnlyList<int> Numbers { get; init; } = [4, 6, 8, 10];

    /// <summary>Disjoint seed ranges of one size, of two or more images each.</summary>
    public required IReadOnlyList<SeedRange> Ranges { get; init; }

    /// <summary>The fine sampler whose endpoints are aimed at; null (default) to measure no endpoint distance.</summary>
    public ComparisonTeacher? Teacher { get; init; }

    /// <summary>Whether schedules found for one solver are measured with the others too; default true. No schedule is searched for that alone.</summary>
    public bool Transfer { get; init; } = true;

    /// <summary>Which of <see cref="Numbers"/> the pictures are about; null (default) for 4, or the least.</summary>
    public int? ShownNumber { get; init; }

    /// <summary>Image seeds in the pictures, at most <see cref="ImageStrip.MaximumImages"/>; none (default) for no pictures.</summary>
    public IReadOnlyList<long> ShownSeeds { get; init; } = [];

    /// <summary>Images sampled at a time, 1 or more; default 100.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>Latents of a search with trajectories; null (default) for each optimiser's own number.</summary>
    public int? SearchImages { get; init; }

    /// <summary>Seed of the first latents of searches; by default those that belong to searches alone. Evaluated seeds must lie below it.</summary>
    public long SearchFirstSeed { get; init; } = Sampling.SeedPlan.FirstSearched;

    /// <summary>The number that the pictures are about.</summary>
    public int Shown => ShownNumber ?? (Numbers.Contains(4) ? 4 : Numbers[0]);

    /// <summary>Checks all values at once.</summary>
    /// <exception cref="InvalidInputException">Values break their rules; the message names them all.</exception>
    public void Validate()
    {
        bool searches = Schedules.OfType<ComparisonSchedule.Searched>().Any();
        long last = Ranges.Count == 0 ? 0 : Ranges.Max(r => r.First + r.Count - 1);
        new OptionRules("The comparison cannot start")
            .Require(Solvers.Count > 0, $"there is no solver")
            .Require(Solvers.Select(s => s.Name).Distinct().Count() == Solvers.Count, $"a solver occurs twice")
            .Require(Schedules.Count > 0, $"there is no schedule")
            .Require(Schedules.Select(s => s.Name).Distinct().Count() == Schedules.Count, $"a schedule's name occurs twice")
            .Require(Numbers.Count > 0 && Numbers.All(n => n is >= 1 and <= MaximumNumber), $"numbers of evaluations or steps must lie between 1 and {MaximumNumber}, not '{string.Join(", ", Numbers)}'")
            .Require(Numbers.Zip(Numbers.Skip(1)).All(p => p.First < p.Second), $"numbers of evaluations or steps must increase, not '{string.Join(", ", Numbers)}'")
            .Require(Numbers.Count == 0 || Numbers.Contains(Shown), $"{ShownNumber} is to be shown, but is none of '{string.Join(", ", Numbers)}'")
            .Require(Ranges.Count > 0, $"there is no seed range")
            .Require(last <= Latents.MaximumSeed, $"image seeds are 0 to {Latents.MaximumSeed}, not {last}")
            .Require(!searches || last < SearchFirstSeed, $"seeds from {SearchFirstSeed} on belong to the searches, so samples must not reach {last}")
            .Require(ShownSeeds.Count <= ImageStrip.MaximumImages, $"at most {ImageStrip.MaximumImages} images fit side by side, not {ShownSeeds.Count}")
            .Require(SearchImages is null or >= 2, $"a search needs at least 2 images, not {SearchImages}")
            .Require(BatchSize >= 1, $"the batch size must be 1 or more, not {BatchSize}")
            .Check();
    }
}

/// <summary>The fine sampler whose endpoints few-step samplers aim at.</summary>
/// <param name="Solver">Its solver.</param>
/// <param name="ScheduleName">Name of its schedule.</param>
/// <param name="Schedule">Its schedule.</param>
public sealed record ComparisonTeacher(ISolver Solver, string ScheduleName, SamplingSchedule Schedule)
{
    /// <summary>What <see cref="Create"/> uses by default: 32 steps of Heun's method on Karras' schedule, 64 evaluations.</summary>
    public const int DefaultSteps = 32;

    /// <summary>Heun's method on Karras' schedule over a model's noise levels.</summary>
    /// <param name="denoiser">The model.</param>
    /// <param name="steps">Number of steps.</param>
    public static ComparisonTeacher Create(Denoising.IDenoiser denoiser, int steps = DefaultSteps) =>
        new(new HeunSolver(), "karras", StandardSchedule.Karras().Create(steps, denoiser.SigmaMin, denoiser.SigmaMax));

    /// <summary>For people: solver, schedule and steps.</summary>
    public override string ToString() => FormattableString.Invariant($"{Solver.Name} on {ScheduleName}, {Schedule.Steps} steps");
}
