namespace FewStep.Cli.Verbs;

/// <summary>Options of the verbs that measure: real images, metrics and feature networks, seeds, and how to sample.</summary>
internal sealed class ExperimentFlags
{
    private static readonly ExperimentOptions Usual = new();
    private static readonly MetricOptions UsualMetrics = new();
    private readonly Option<int> _samples;
    private readonly Option<int> _ranges = Flag.Of("--ranges", "Disjoint seed ranges, whose spread is reported.", Usual.Ranges);
    private readonly Option<long> _firstSeed = Flag.Of<long>("--first-seed", "Seed of the first image.", Usual.FirstSeed);
    private readonly Option<string> _strip = Flag.Of(
        "--strip-seeds", "Image seeds shown in the report; 'none' for no images.", "0-9", "list");
    private readonly Option<int> _batch = Flag.Of("--batch", "Images sampled at a time.", Usual.BatchSize);
    private readonly Option<string?> _metrics;
    private readonly Option<int> _subsets = Flag.Of(
        "--kid-subsets", "Random subsets that a kernel distance is the mean of.", UsualMetrics.KernelSubsets);
    private readonly Option<int> _subsetSize = Flag.Of(
        "--kid-subset-size", "Images of each set in such a subset.", UsualMetrics.KernelSubsetSize);
    private readonly Option<int> _manifold = Flag.Of(
        "--neighbours", "Nearest neighbours of precision and recall.", UsualMetrics.ManifoldNeighbours);
    private readonly Option<int> _coverage = Flag.Of(
        "--coverage-neighbours", "Nearest neighbours of density and coverage.", UsualMetrics.CoverageNeighbours);
    private readonly Option<int> _kept = Flag.Of(
        "--kept-images", "Most images of a set that metrics of single images look at.", UsualMetrics.KeptImages);

    public ExperimentFlags(int samples, string metrics, FeatureKind features = FeatureKind.Classifier)
    {
        _samples = Flag.Of("--samples", "Images in a seed range; distances compare only at the same number.", samples);
        _metrics = Flag.Optional<string?>("--metrics", "Metrics, separated by commas, the headline's first: "
                + $"{string.Join("; ", MetricCatalog.Entries.Select(e => $"{e.Name} ({e.Description})"))}. "
                + $"Left out: {metrics}.", "list");
        Classifier = new ClassifierFlag(
            "Folder of the classifier whose features metrics are measured on, unless they take Inception-v3's.");
        Network = new FeatureFlags(Classifier, features);
    }

    public Option<string> Data { get; } = SharedOptions.Data();

    public Option<string?> Reference { get; } = Flag.Optional<string?>("--reference",
        "Real images to compare with, or a file of statistics (.npz) for a Fréchet distance; left out, the test split of --data.", "path");

    public ClassifierFlag Classifier { get; }
    public FeatureFlags Network { get; }

    /// <summary>How the loss curve is measured, and a curve in place of that.</summary>
    public LossCurveFlags Curve { get; } = new();

    public Option<TorchSharp.torch.ScalarType> Dtype { get; } = SharedOptions.Dtype();
    public Option<long> Seed { get; } = SharedOptions.Seed();
    public Option<int> Threads { get; } = SharedOptions.Threads();
    public Option<bool> Json { get; } = SharedOptions.Json();

    /// <summary>Adds the options to a verb, after its own.</summary>
    public void AddTo(Command command)
    {
        Option[] all =
        [
            _samples, _ranges, _firstSeed, Data, Reference, _metrics, Network.Features, Network.Inception, Classifier.Option, _subsets,
            _subsetSize, _manifold,
            _coverage, _kept, _strip, _batch, Dtype, Seed, Threads, Json,
        ];
        foreach (var option in all)
            command.Add(option);

        Curve.AddTo(command);
    }

    /// <summary>The solvers of a list with commas, each once.</summary>
    public static IReadOnlyList<ISolver> Solvers(string list) =>
        [.. list.Split(',', StringSplitOptions.TrimEntries).Select(SolverCatalog.Find).DistinctBy(s => s.Name)];

    /// <summary>Names of the metrics that are wanted; null where nothing was said.</summary>
    public string[]? Metrics(ParseResult parsed) => parsed.GetValue(_metrics)?.Split(',', StringSplitOptions.TrimEntries);

    /// <summary>The Fréchet distance on the features that are named, or on the classifier's.</summary>
    public string Frechet(ParseResult parsed)
    {
        var kind = parsed.GetResult(Network.Features) is { Implicit: false } ? parsed.GetValue(Network.Features) : FeatureKind.Classifier;
        return MetricCatalog.Entries.First(e => e.Kind == kind && e.Needs.HasFlag(MetricNeeds.Reference)).Name;
    }

    public int Ranges(ParseResult parsed) => parsed.GetValue(_ranges);

    public int BatchSize(ParseResult parsed) => parsed.GetValue(_batch);

    public ExperimentOptions Experiment(ParseResult parsed, string folder, string title) => new()
    {
        Title = title,
        Folder = folder,
        Samples = parsed.GetValue(_samples),
        Ranges = parsed.GetValue(_ranges),
        FirstSeed = parsed.GetValue(_firstSeed),
        BatchSize = parsed.GetValue(_batch),
        ShownSeeds = parsed.GetRequiredValue(_strip) is "none" ? [] : SeedList.Parse(parsed.GetRequiredValue(_strip)),
        Seed = parsed.GetValue(Seed),
    };

    public MetricContext Context(
        ParseResult parsed, Denoising.ImageShape shape, string? model, Func<IImageSet>? real, IProgress<WorkProgress> progress,
        CancellationToken cancellation) => new()
        {
            OpenNetwork = kind => Network.Open(kind, parsed, shape, model),
            Features = parsed.GetValue(Network.Features),
            RealImages = real,
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
            && File.Exists(file) ? file : null;
}
