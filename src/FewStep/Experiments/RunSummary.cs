using FewStep.Models;
namespace FewStep.Experiments;

/// <summary>Everything a run has to tell: the only thing that reports, tables and exports read, and the content of <c>metrics.json</c>.</summary>
/// <remarks>Plain data. A number that could not be had is null, or NaN where it was computed and failed; both are reported as missing, never as zero.</remarks>
public sealed record RunSummary
{
    /// <summary>The format that this version writes and reads.</summary>
    public const int CurrentFormatVersion = 1;

    /// <summary>Format of the file; default <see cref="CurrentFormatVersion"/>.</summary>
    public int FormatVersion { get; init; } = CurrentFormatVersion;

    /// <summary>Title of the report, e.g. <c>Fashion-MNIST in 4 steps</c>.</summary>
    public required string Title { get; init; }

    /// <summary>Solver steps N that the run searched a schedule for, at least 1.</summary>
    public required int Steps { get; init; }

    /// <summary>The model that was sampled.</summary>
    public required ModelSummary Model { get; init; }

    /// <summary>The images that the loss curve, the tuning or the comparison used; null where the run needed none.</summary>
    public DataSummary? Data { get; init; }

    /// <summary>What the samples were judged by.</summary>
    public required MetricSummary Metric { get; init; }

    /// <summary>The estimated loss curve; null where the run searched nothing.</summary>
    public LossCurveSummary? LossCurve { get; init; }

    /// <summary>The schedules, in the order of the report; names are unique.</summary>
    public IReadOnlyList<ScheduleSummary> Schedules { get; init; } = [];

    /// <summary>Measured combinations of schedule, tuning and solver, in the order of the report.</summary>
    public IReadOnlyList<EvaluationSummary> Evaluations { get; init; } = [];

    /// <summary>Sample images, one row a method, the same seeds in the same order in each.</summary>
    public IReadOnlyList<ImageStripSummary> ImageStrips { get; init; } = [];

    /// <summary>Rounds of fine-tuning; empty where the weights were not touched.</summary>
    public IReadOnlyList<TuningRoundSummary> TuningRounds { get; init; } = [];

    /// <summary>What each stage cost, in the order in which they ran.</summary>
    public IReadOnlyList<LedgerLineSummary> Ledger { get; init; } = [];

    /// <summary>What is needed to run it again.</summary>
    public required ManifestSummary Manifest { get; init; }

    /// <summary>Warnings and negative results, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}
