using FewStep.Metrics;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>What a trial is to the headline.</summary>
public enum TrialRole
{
    /// <summary>One more row of the table.</summary>
    Comparison,

    /// <summary>What the result is measured against where nothing better was measured; at most one.</summary>
    Baseline,

    /// <summary>What the experiment delivers; at most one.</summary>
    Result,

    /// <summary>The fine sampler that tuning follows, and endpoints are compared with.</summary>
    Teacher,
}

/// <summary>One measured combination of weights and sampler, or one set of stored images.</summary>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record TrialSummary
{
    /// <summary>Name for people, unique in the summary, e.g. <c>phase1 + trajectory, ipndm:3, 4 steps</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it is compared at (see <see cref="Summary.Axis"/>): steps or evaluations an image; 0 for stored images.</summary>
    public required int Number { get; init; }

    /// <summary>What it is to the headline; default <see cref="TrialRole.Comparison"/>.</summary>
    public TrialRole Role { get; init; }

    /// <summary>Name of the schedule, or of the search that found it; null for stored images.</summary>
    public string? Schedule { get; init; }

    /// <summary>The file that the sampler is from, as <c>folder/name</c>; null where it is from none.</summary>
    public string? File { get; init; }

    /// <summary>Where the schedule comes from.</summary>
    public ScheduleSource Source { get; init; } = ScheduleSource.Given;

    /// <summary>The solver that the schedule was searched for; null for a schedule that suits any.</summary>
    public string? FoundFor { get; init; }

    /// <summary>Name of the solver; null for stored images.</summary>
    public string? Solver { get; init; }

    /// <summary>Name of the tuning; null for the weights as they came.</summary>
    public string? Tuning { get; init; }

    /// <summary>Solver steps N; null for stored images.</summary>
    public int? Steps { get; init; }

    /// <summary>Network evaluations an image (NFE), counted while sampling, not derived; null for stored images.</summary>
    public double? EvaluationsPerImage { get; init; }

    /// <summary>The N+1 noise levels; empty for stored images.</summary>
    public IReadOnlyList<double> Sigmas { get; init; } = [];

    /// <summary>What happens at the last noise level.</summary>
    public ScheduleTerminal Terminal { get; init; } = ScheduleTerminal.SigmaMin;

    /// <summary>Hash of stored images; null for samples.</summary>
    public string? ImagesHash { get; init; }

    /// <summary>Discretization loss J of the schedule with g = -ln sigma (power 0), in squared pixel units per value; null where it was not
    /// computed.</summary>
    public EstimateSummary? LossPower0 { get; init; }

    /// <summary>Discretization loss J of the schedule with g = 1 / sigma (power 1); null where it was not computed.</summary>
    public EstimateSummary? LossPower1 { get; init; }

    /// <summary>The measured figures by <see cref="FigureSummary.Key"/>; one that was left out is missing.</summary>
    public required IReadOnlyDictionary<string, FigureValues> Figures { get; init; }

    /// <summary>How each figure stands to the best untuned or tuned trial at the same number, the teacher left out; by key.</summary>
    public IReadOnlyDictionary<string, Verdict> Verdicts { get; init; } = new Dictionary<string, Verdict>();

    /// <summary>Wall-clock seconds of sampling and metrics, all ranges.</summary>
    public double Seconds { get; init; }

    /// <summary>Whether the schedule was searched for another solver than the one that is used.</summary>
    [JsonIgnore]
    public bool IsTransfer => FoundFor is not null && FoundFor != Solver;

    /// <summary>Whether it has a figure.</summary>
    internal bool Has(FigureSummary figure) => Figures.TryGetValue(figure.Key, out var values) && double.IsFinite(values.Mean);

    /// <summary>A figure that it has, with its sign turned where higher is better.</summary>
    internal double Cost(FigureSummary figure) => figure.HigherIsBetter ? -Figures[figure.Key].Mean : Figures[figure.Key].Mean;

    /// <summary>Name of the file or else of the schedule, with the solver that it was found for where that is another one.</summary>
    [JsonIgnore]
    public string ScheduleLabel => IsTransfer ? $"{File ?? Schedule} of {FoundFor}" : File ?? Schedule ?? Name;

    /// <summary>What is one line in a chart over numbers of steps: the schedule, and of files those of one folder.</summary>
    internal string Series => File is { } file && Path.GetDirectoryName(file) is { Length: > 0 } folder ? $"{Schedule}, {folder}/"
        : Schedule ?? Name;

    /// <summary>The solver, but one word for all that were fitted: each of them is for one schedule alone.</summary>
    internal string? SolverKind => Solver?.StartsWith($"{FittedSolver.Prefix}-", StringComparison.Ordinal) == true ? FittedSolver.Prefix
        : Solver;
}

/// <summary>A figure of one trial: one value for each range of seeds (of each subset, for stored images).</summary>
/// <param name="Ranges">The values.</param>
/// <param name="InnerDeviation">Standard deviation within the set, where there is one range only and the metric has it; null
/// elsewhere.</param>
/// <param name="Whole">Of stored images the value of all of them together, which <see cref="Mean"/> then is; null for samples.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record FigureValues(IReadOnlyList<RangeValue> Ranges, double? InnerDeviation = null, double? Whole = null)
{
    /// <summary>Mean over the ranges; NaN where there is none.</summary>
    public double Mean => Whole ?? (Ranges.Count == 0 ? double.NaN : Ranges.Average(r => r.Value));

    /// <summary>Standard deviation over the ranges (n - 1 in the denominator); null below two ranges.</summary>
    public double? Spread => SeedRangeSpread.Deviation([.. Ranges.Select(r => r.Value)]);
}

/// <summary>A figure of the images of consecutive seeds.</summary>
/// <param name="FirstSeed">Seed of the first image; of stored images the number of the subset.</param>
/// <param name="Images">Number of images.</param>
/// <param name="Value">The figure.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record RangeValue(long FirstSeed, int Images, double Value);

/// <summary>How a trial stands to the best at its number.</summary>
public enum Standing
{
    /// <summary>It has the best mean.</summary>
    Best,

    /// <summary>The seed ranges do not tell it from the best.</summary>
    Undecided,

    /// <summary>It is worse than the best beyond the spread over seed ranges.</summary>
    Behind,
}

/// <summary>A trial against the best at its number, by paired differences over the seed ranges.</summary>
/// <param name="Standing">What can be said.</param>
/// <param name="Difference">Mean over the ranges of this trial's value less the best one's.</param>
/// <param name="HalfWidth">Half-width of the difference's two-sided 95 % interval (Student's t over the ranges); null with a single range,
/// whose spread is unknown.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record Verdict(Standing Standing, double Difference, double? HalfWidth = null);

/// <summary>An estimate with its confidence interval.</summary>
/// <param name="Value">The estimate.</param>
/// <param name="Low">Lower end of the interval; null where unknown.</param>
/// <param name="High">Upper end of the interval; null where unknown.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record EstimateSummary(double Value, double? Low = null, double? High = null);
