using FewStep.Models;
namespace FewStep.Experiments;

/// <summary>Everything an experiment has to tell: the only thing that reports, tables and exports read, and the content of
/// <c>metrics.json</c>.</summary>
/// <remarks>Plain data. A number that could not be had is null, or NaN where it was computed and failed; both are reported as missing,
/// never as zero.</remarks>
public sealed record Summary
{
    /// <summary>The format that this version writes and reads.</summary>
    public const int CurrentFormatVersion = 2;

    /// <summary>Name of the file in an experiment's folder.</summary>
    public const string FileName = "metrics.json";

    /// <summary>Format of the file; default <see cref="CurrentFormatVersion"/>.</summary>
    public int FormatVersion { get; init; } = CurrentFormatVersion;

    /// <summary>Title of the report, e.g. <c>Fashion-MNIST in 4 steps</c>.</summary>
    public required string Title { get; init; }

    /// <summary>What <see cref="TrialSummary.Number"/> counts: what trials must agree in to be compared.</summary>
    public required ComparisonAxis Axis { get; init; }

    /// <summary>The number that headline and pictures are about; one of the trials'.</summary>
    public required int ShownNumber { get; init; }

    /// <summary>The model that was sampled; null where stored images were measured.</summary>
    public ModelSummary? Model { get; init; }

    /// <summary>The images that the loss curve, the tuning or the metrics used; null where none were needed.</summary>
    public DataSummary? Data { get; init; }

    /// <summary>The image seeds, the same for every trial; null where stored images were measured.</summary>
    public SeedsSummary? Seeds { get; init; }

    /// <summary>The figures that were measured, the headline's first.</summary>
    public required IReadOnlyList<FigureSummary> Figures { get; init; }

    /// <summary>The trials, in the order of the report.</summary>
    public required IReadOnlyList<TrialSummary> Trials { get; init; }

    /// <summary>What was not measured, and why.</summary>
    public IReadOnlyList<LeftOutSummary> LeftOut { get; init; } = [];

    /// <summary>The searches that gave schedules.</summary>
    public IReadOnlyList<SearchSummary> Searches { get; init; } = [];

    /// <summary>The estimated loss curve; null where there is none.</summary>
    public LossCurveSummary? LossCurve { get; init; }

    /// <summary>Rounds of tuning; empty where the weights were not touched.</summary>
    public IReadOnlyList<TuningRoundSummary> TuningRounds { get; init; } = [];

    /// <summary>Sample images, one row a trial, the same seeds in the same order in each.</summary>
    public IReadOnlyList<ImageStripSummary> ImageStrips { get; init; } = [];

    /// <summary>What each stage cost, in the order in which they ran.</summary>
    public IReadOnlyList<LedgerLineSummary> Ledger { get; init; } = [];

    /// <summary>How to go on with what was found, ready to copy.</summary>
    public IReadOnlyList<CommandSummary> Commands { get; init; } = [];

    /// <summary>What is needed to run it again.</summary>
    public required ManifestSummary Manifest { get; init; }

    /// <summary>Warnings and negative results, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>The image seeds of an experiment.</summary>
/// <param name="First">Seed of the first image.</param>
/// <param name="Images">Images in a range.</param>
/// <param name="Ranges">Number of disjoint ranges.</param>
public sealed record SeedsSummary(long First, int Images, int Ranges);

/// <summary>A trial that was not measured.</summary>
/// <param name="Number">What it would have been compared at.</param>
/// <param name="Solver">The solver.</param>
/// <param name="Reason">Why.</param>
/// <param name="Schedule">The schedule; null where the solver has no such number of evaluations at all.</param>
public sealed record LeftOutSummary(int Number, string Solver, string Reason, string? Schedule = null);

/// <summary>A way to go on with what was found.</summary>
/// <param name="Title">What it does, e.g. <c>Sample with it</c>.</param>
/// <param name="Text">A command line or a few lines of C#, complete.</param>
public sealed record CommandSummary(string Title, string Text);
