using FewStep.Models;
namespace FewStep.Experiments;

/// <summary>Everything a comparison of solvers and schedules has to tell: what its page, table and files read, and the content of <c>compare.json</c>.</summary>
public sealed record ComparisonSummary
{
    /// <summary>The format that this version writes and reads.</summary>
    public const int CurrentFormatVersion = 1;

    /// <summary>Format of the file; default <see cref="CurrentFormatVersion"/>.</summary>
    public int FormatVersion { get; init; } = CurrentFormatVersion;

    /// <summary>Title of the page.</summary>
    public required string Title { get; init; }

    /// <summary>What is held equal between solvers.</summary>
    public required ComparisonAxis Axis { get; init; }

    /// <summary>Evaluations an image, or steps, in increasing order.</summary>
    public required IReadOnlyList<int> Numbers { get; init; }

    /// <summary>Which of them the pictures are about.</summary>
    public required int ShownNumber { get; init; }

    /// <summary>The model.</summary>
    public required ModelSummary Model { get; init; }

    /// <summary>The images; null where none were used.</summary>
    public DataSummary? Data { get; init; }

    /// <summary>The distance to real images; null where it was left out.</summary>
    public MetricSummary? Metric { get; init; }

    /// <summary>The fine sampler; null where no endpoint distance was measured.</summary>
    public ComparisonTeacherSummary? Teacher { get; init; }

    /// <summary>The seeds, the same for every cell.</summary>
    public required ComparisonSeedsSummary Seeds { get; init; }

    /// <summary>The measured cells, by number, then schedule, then solver.</summary>
    public required IReadOnlyList<ComparisonCellSummary> Cells { get; init; }

    /// <summary>What was not measured, and why.</summary>
    public IReadOnlyList<ComparisonLeftOutSummary> LeftOut { get; init; } = [];

    /// <summary>The searches that gave schedules.</summary>
    public IReadOnlyList<ComparisonSearch> Searches { get; init; } = [];

    /// <summary>Sample images of the same seeds, one row a cell at <see cref="ShownNumber"/>, the best first, the teacher last.</summary>
    public IReadOnlyList<ImageStripSummary> ImageStrips { get; init; } = [];

    /// <summary>What each stage cost.</summary>
    public IReadOnlyList<LedgerLineSummary> Ledger { get; init; } = [];

    /// <summary>What is needed to run it again.</summary>
    public required ManifestSummary Manifest { get; init; }

    /// <summary>Warnings, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>The fine sampler that endpoints are compared with.</summary>
/// <param name="Solver">Its solver.</param>
/// <param name="Schedule">Its schedule.</param>
/// <param name="Steps">Its steps.</param>
/// <param name="EvaluationsPerImage">Network evaluations an image.</param>
/// <param name="Distance">Its own distance to real images; null where it was left out.</param>
public sealed record ComparisonTeacherSummary(string Solver, string Schedule, int Steps, double EvaluationsPerImage, DistanceSummary? Distance = null);

/// <summary>The image seeds of a comparison.</summary>
/// <param name="First">Seed of the first image.</param>
/// <param name="Images">Images in a range.</param>
/// <param name="Ranges">Number of disjoint ranges.</param>
public sealed record ComparisonSeedsSummary(long First, int Images, int Ranges);
