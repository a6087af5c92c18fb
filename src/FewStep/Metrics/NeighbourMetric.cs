namespace FewStep.Metrics;

/// <summary>Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).</summary>
internal sealed class NeighbourMetric : IMetric
{
    private readonly IFeatureExtractor _extractor;
    private readonly FeatureReference _reference;
    private readonly MetricOptions _options;

    public NeighbourMetric(IClassScorer extractor, FeatureReference reference, MetricOptions options)
    {
        (_extractor, _reference, _options) = (extractor, reference, options);
        string hash = extractor.Hash;
        Identity = string.Create(CultureInfo.InvariantCulture,
            $"{Entry.Name}\n{hash}\n{reference.ImagesHash}\n{options.ManifoldNeighbours} {options.CoverageNeighbours} {options.KeptImages} "
                + $"{options.Seed}");
        Figures =
        [
            Figure("precision", "Share of the samples that lie among real images: within the ball of a real one to its "
                + $"{Ordinal(options.ManifoldNeighbours)} neighbour."),
            Figure("recall", "Share of the real images that lie among the samples: within the ball of a sample to its "
                + $"{Ordinal(options.ManifoldNeighbours)} neighbour."),
            Figure("density",
                $"Mean number of real images' balls (to the {Ordinal(options.CoverageNeighbours)} neighbour) that a sample lies in, "
                + $"over {options.CoverageNeighbours}; it may exceed 1."),
            Figure("coverage",
                $"Share of the real images whose ball (to the {Ordinal(options.CoverageNeighbours)} neighbour) holds a sample."),
        ];

        MetricFigure Figure(string key, string description) => new(
            key,
            $"{key} ({extractor.FeatureName})",
            key,
            $"{description} Higher is better.",
            HigherIsBetter: true,
            hash,
            reference.ImagesHash,
            reference.Images);
    }

    public static MetricEntry Entry { get; } = new()
    {
        Name = "prdc",
        Description = "precision, recall, density, coverage",
        Needs = MetricNeeds.Features | MetricNeeds.Reference | MetricNeeds.ReferenceImages,
        Create = context => new NeighbourMetric(context.Network(context.Features), context.Reference(context.Features), context.Options),
    };

    public IReadOnlyList<MetricFigure> Figures { get; }
    public string Identity { get; }
    public bool ComparesWithRealImages => true;

    public IMetricMeasurement Begin(int images, SeedRange? seeds) => new KeptFeatures(_extractor, images, _options.KeptImages, Judge);

    private static string Ordinal(int k) =>
        $"{k}{(k % 100 is >= 11 and <= 13 ? "th" : (k % 10) switch { 1 => "st", 2 => "nd", 3 => "rd", _ => "th" })}";

    private IReadOnlyList<MetricValue> Judge(Tensor features, CancellationToken cancellation)
    {
        var found = NeighbourMetrics.Between(
            _reference.Kept!, features, _options.ManifoldNeighbours, _options.CoverageNeighbours, cancellation);
        return [new(found.Precision), new(found.Recall), new(found.Density), new(found.Coverage)];
    }
}
