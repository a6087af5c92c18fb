namespace FewStep.Cli.Verbs;

/// <summary>Options of the verbs that measure: real images, metrics and feature networks, seeds, and how to sample.</summary>
/// <param name="samples">Usual number of images in a seed range.</param>
/// <param name="metrics">The metrics that are measured where none are named, for help.</param>
internal sealed class ExperimentFlags(Command command, int samples, string metrics, FeatureKind features = FeatureKind.Classifier)
{
    private static readonly ExperimentOptions Usual = new();
    private static readonly MetricOptions UsualMetrics = new();

    public Option<int> Samples { get; } = command.Option(
        "--samples", "Images in a seed range; distances compare only at the same number.", samples);
    private readonly Option<int> _ranges = command.Option("--ranges", "Disjoint seed ranges, whose spread is reported.", Usual.Ranges);
    private readonly Option<long> _firstSeed = command.Option("--first-seed", "Seed of the first image.", Usual.FirstSeed);

    public Option<string> Data { get; } = command.Data();

    public Option<string?> Reference { get; } = command.Optional<string?>("--reference",
        "Real images to compare with, or a file of statistics (.npz) for a Fréchet distance; left out, the test split of --data.", "path");

    private readonly Option<string?> _metrics = command.Optional<string?>("--metrics", "Metrics, separated by commas, the headline's "
        + $"first: {string.Join("; ", MetricCatalog.Entries.Select(e => $"{e.Name} ({e.Description})"))}. Left out: {metrics}.", "list");

    public FeatureFlags Network { get; } = new(
        command, "Folder of the classifier whose features metrics are measured on, unless they take Inception-v3's.", features);

    private readonly Option<string?> _heldBack = command.Optional<string?>("--held-back", "Folder of a second classifier that nothing was "
        + $"tuned, searched or chosen by: {string.Join(", ", HeldBack)} are measured on it, beside the others.", "folder");

    private readonly Option<string?> _clip = command.Optional<string?>(
        "--clip", $"Folder of a CLIP for {ClipScoreMetric.Entry.Name}, as optimum exports it to ONNX: model.onnx, "
            + $"{ClipPreprocessing.FileName} and the tokenizer's files.", "folder");

    private readonly Option<int> _subsets = command.Option(
        "--kid-subsets", "Random subsets that a kernel distance is the mean of.", UsualMetrics.KernelSubsets);
    private readonly Option<int> _subsetSize = command.Option(
        "--kid-subset-size", "Images of each set in such a subset.", UsualMetrics.KernelSubsetSize);
    private readonly Option<int> _manifold = command.Option(
        "--neighbours", "Nearest neighbours of precision and recall.", UsualMetrics.ManifoldNeighbours);
    private readonly Option<int> _coverage = command.Option(
        "--coverage-neighbours", "Nearest neighbours of density and coverage.", UsualMetrics.CoverageNeighbours);
    private readonly Option<int> _kept = command.Option(
        "--kept-images", "Most images of a set that metrics of single images look at.", UsualMetrics.KeptImages);
    private readonly Option<string> _strip = command.Option(
        "--strip-seeds", "Image seeds shown in the report; 'none' for no images.", "0-9", "list");
    private readonly Option<int> _batch = command.Option("--batch", "Images sampled at a time.", Usual.BatchSize);

    public Option<TorchSharp.torch.ScalarType?> Dtype { get; } = command.Dtype();
    public Option<long> Seed { get; } = command.Seed();
    public Option<int> Threads { get; } = command.Threads();
    public Option<bool> Json { get; } = command.Json();

    /// <summary>How the loss curve is measured.</summary>
    public LossCurveFlags Curve { get; } = new(command);

    private static IEnumerable<string> HeldBack => MetricCatalog.Entries.Where(e => e.Kind == FeatureKind.HeldBack).Select(e => e.Name);

    /// <summary>Names of the metrics: those that are named, or the usual ones; and those on the second classifier where there is
    /// one.</summary>
    public string[] Metrics(ParseResult parsed, params IEnumerable<string> usual)
    {
        string[] named = parsed.GetValue(_metrics)?.Split(',', StringSplitOptions.TrimEntries) ?? [.. usual];
        bool adds = parsed.GetValue(_heldBack) is not null && !named.Any(HeldBack.Contains);
        return [.. named, .. adds ? HeldBack : []];
    }

    /// <summary>The Fréchet distance on the features that are named, or on the classifier's.</summary>
    public string Frechet(ParseResult parsed)
    {
        var kind = Network.IsKindGiven(parsed) ? Network.Kind(parsed) : FeatureKind.Classifier;
        return MetricCatalog.Entries.First(e => e.Kind == kind && e.Needs.HasFlag(MetricNeeds.Reference)).Name;
    }

    public ExperimentOptions Experiment(ParseResult parsed, string folder, string title) => new()
    {
        Title = title,
        Folder = folder,
        Samples = parsed.GetValue(Samples),
        Ranges = parsed.GetValue(_ranges),
        FirstSeed = parsed.GetValue(_firstSeed),
        BatchSize = parsed.GetValue(_batch),
        ShownSeeds = parsed.GetRequiredValue(_strip) is "none" ? [] : SeedList.Parse(parsed.GetRequiredValue(_strip)),
        Seed = parsed.GetValue(Seed),
    };

    /// <param name="model">Path of the model, beside which its classifier may lie; null where there is none.</param>
    /// <param name="real">Images to compare with; null where there are none.</param>
    public MetricContext Context(
        ParseResult parsed, ImageShape shape, string? model, IImageSet? real, IProgress<WorkProgress> progress,
        CancellationToken cancellation) => new()
        {
            OpenNetwork = kind => kind != FeatureKind.HeldBack ? Network.Open(kind, parsed, shape, model)
                : FeatureFlags.OpenClassifier(
                    parsed.GetValue(_heldBack)
                        ?? throw new InvalidInputException("Name the folder of a second classifier with --held-back."),
                    parsed, shape, "choose one of that shape with --held-back"),
            OpenClip = () => ClipModel.Open(
                parsed.GetValue(_clip) ?? throw new InvalidInputException("Name the folder of an ONNX CLIP with --clip.")),
            Features = Network.Kind(parsed),
            RealImages = real is null ? null : () => real,
            Statistics = Statistics(parsed),
            Options = new MetricOptions
            {
                KernelSubsets = parsed.GetValue(_subsets),
                KernelSubsetSize = parsed.GetValue(_subsetSize),
                ManifoldNeighbours = parsed.GetValue(_manifold),
                CoverageNeighbours = parsed.GetValue(_coverage),
                KeptImages = parsed.GetValue(_kept),
                Seed = parsed.GetValue(Seed),
            },
            Progress = progress,
            Cancellation = cancellation,
        };

    /// <summary>The file of statistics in place of reference images; null where images are given.</summary>
    public string? Statistics(ParseResult parsed) =>
        parsed.GetValue(Reference) is { } file && file.EndsWith(StatisticsFile.Extension, StringComparison.OrdinalIgnoreCase)
            && File.Exists(file) && (StatisticsFile.Is(file) || !NpzImageSet.Is(file)) ? file : null;
}
