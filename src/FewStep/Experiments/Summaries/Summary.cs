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

/// <summary>The images of a run.</summary>
/// <param name="Name">Name for people, e.g. <c>Fashion-MNIST</c>.</param>
/// <param name="Hash">SHA-256 of the training images in lower-case hexadecimal; null where there were none.</param>
/// <param name="ReferenceHash">SHA-256 of the real images that samples are compared with; null where there were none.</param>
/// <param name="TrainingImages">Images that the loss curve and the tuning drew from.</param>
/// <param name="HeldOutImages">Images held out for the comparison; 0 where there were none.</param>
public sealed record DataSummary(
    string Name, string? Hash = null, string? ReferenceHash = null, long TrainingImages = 0, long HeldOutImages = 0);

/// <summary>The image seeds of an experiment.</summary>
/// <param name="First">Seed of the first image.</param>
/// <param name="Images">Images in a range.</param>
/// <param name="Ranges">Number of disjoint ranges.</param>
public sealed record SeedsSummary(long First, int Images, int Ranges)
{
    /// <summary>What too few ranges cannot show; null where there are enough.</summary>
    internal string? FewRanges => Ranges switch
    {
        1 => "There is one range of seeds only: the spread over seeds is unknown, and no difference between rows is decided. Measure three "
            + "ranges or more.",
        2 => "There are two ranges of seeds only: a 95 % interval then has 1 degree of freedom and reaches 12.7 standard errors "
            + "to each side, so that even a large difference may remain undecided. Measure three ranges or more.",
        _ => null,
    };
}

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

/// <summary>A search that gave schedules to an experiment.</summary>
/// <param name="Name">The search with its parameter, e.g. <c>gits:1.15</c>.</param>
/// <param name="FoundFor">The solver that the schedules are made for; null where they suit any.</param>
/// <param name="Steps">Numbers of steps that it found schedules for.</param>
/// <param name="NetworkEvaluations">Network evaluations that were counted, one for each image; without those of the loss curve.</param>
/// <param name="LossCurveEvaluations">Network evaluations of the loss curve that the search asked for, which other searches share; 0
/// without.</param>
/// <param name="Seconds">Wall-clock seconds, without those of the loss curve.</param>
/// <param name="StopReason">Why it stopped, for its last number of steps.</param>
public sealed record SearchSummary(
    string Name, [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FoundFor, IReadOnlyList<int> Steps,
    long NetworkEvaluations, long LossCurveEvaluations, double Seconds, string StopReason);

/// <summary>One row of sample images: a PNG that holds one equally wide tile for each seed, left to right.</summary>
/// <param name="Label">What the row shows: the trial's <see cref="TrialSummary.Name"/>.</param>
/// <param name="EvaluationsPerImage">Network evaluations an image, counted while these images were drawn.</param>
/// <param name="Path">The PNG file, relative to the run folder and inside it, with forward slashes.</param>
/// <param name="Seeds">Image seeds in the order of the tiles.</param>
public sealed record ImageStripSummary(string Label, double EvaluationsPerImage, string Path, IReadOnlyList<long> Seeds);

/// <summary>What one stage of a run cost.</summary>
/// <param name="Stage">Name of the stage, e.g. <c>loss curve</c>.</param>
/// <param name="NetworkEvaluations">Forward passes of one image through the network, with or without gradient.</param>
/// <param name="TrainingUpdates">Optimizer updates.</param>
/// <param name="Seconds">Wall-clock time in seconds.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record LedgerLineSummary(string Stage, long NetworkEvaluations, long TrainingUpdates, double Seconds);

/// <summary>What is needed to run it again and to know what it ran on.</summary>
public sealed record ManifestSummary
{
    /// <summary>Version of FewStep.</summary>
    public required string Version { get; init; }

    /// <summary>Start of the run.</summary>
    public DateTimeOffset Started { get; init; }

    /// <summary>Wall-clock seconds from start to end, over all sittings that ended by themselves or were interrupted; 0 where it was not
    /// taken.</summary>
    public double Seconds { get; init; }

    /// <summary>Seed of the run, from which every other seed is derived.</summary>
    public long Seed { get; init; }

    /// <summary>The command line; null where the library was called.</summary>
    public string? CommandLine { get; init; }

    /// <summary>Versions of what it stands on, e.g. <c>.NET</c>, <c>TorchSharp</c>, <c>libtorch</c>.</summary>
    public IReadOnlyDictionary<string, string> Versions { get; init; } = new Dictionary<string, string>();

    /// <summary>Options by name, defaults included, e.g. <c>tuning.updates</c>.</summary>
    public IReadOnlyDictionary<string, string> Options { get; init; } = new Dictionary<string, string>();

    /// <summary>The machine, e.g. operating system, processor, cores, device, number format.</summary>
    public IReadOnlyDictionary<string, string> Machine { get; init; } = new Dictionary<string, string>();
}

/// <summary>What a comparison holds equal between solvers.</summary>
public enum ComparisonAxis
{
    /// <summary>Network evaluations an image: a solver of two stages gets half as many steps. What is fair.</summary>
    Evaluations,

    /// <summary>Solver steps, whatever they cost.</summary>
    Steps,
}
