namespace FewStep.Metrics;

/// <summary>The Fréchet distance of Gaussians fitted to features: FID on Inception-v3 (Heusel et al. 2017). It falls with the number of
/// images (a bias of the estimator), so only values at the same number compare.</summary>
internal sealed class FrechetMetric : IMetric
{
    private readonly IFeatureExtractor _extractor;
    private readonly FeatureReference _reference;

    public FrechetMetric(FeatureKind kind, IClassScorer extractor, FeatureReference reference)
    {
        string hash = extractor.Hash;
        if (reference.ExtractorHash is { } other && other != hash || reference.Statistics.Dimension != extractor.Dimension)
        {
            throw new InvalidInputException(
                $"The reference was measured by another feature network than '{extractor.Name}'; measure it again.");
        }

        (_extractor, _reference, Identity) = (extractor, reference, $"{hash}\n{reference.ImagesHash}");
        var entry = kind == FeatureKind.Inception ? OnInception : OnClassifier;
        string images = reference.Images is long count ? FormattableString.Invariant($"{count:N0} real images") : "real images";
        string network = kind == FeatureKind.Inception ? extractor.FeatureName : "a classifier of the same data";
        Figures =
        [
            new(
                entry.Name,
                extractor.Name,
                kind == FeatureKind.Inception ? "FID" : "FD",
                $"Fréchet distance between the samples and {images} on {extractor.Dimension} features of {network}; lower is better. "
                    + "It falls with the number of samples, and it is not comparable with distances on other features.",
                HigherIsBetter: false,
                hash,
                reference.ImagesHash,
                reference.Images),
        ];
    }

    public static MetricEntry OnClassifier { get; } = new()
    {
        Name = "fd",
        Description = "Fréchet distance on the features of a classifier",
        Needs = MetricNeeds.Features | MetricNeeds.Reference,
        Kind = FeatureKind.Classifier,
        Create = context => Of(FeatureKind.Classifier, context),
    };

    public static MetricEntry OnInception { get; } = new()
    {
        Name = "fid",
        Description = "Fréchet distance on Inception-v3",
        Needs = MetricNeeds.Features | MetricNeeds.Reference,
        Kind = FeatureKind.Inception,
        Create = context => Of(FeatureKind.Inception, context),
    };

    public IReadOnlyList<MetricFigure> Figures { get; }
    public string Identity { get; }
    public bool ComparesWithRealImages => true;

    public IMetricMeasurement Begin(int images, SeedRange? seeds) => new Measurement(this);

    private static FrechetMetric Of(FeatureKind kind, MetricContext context) => new(kind, context.Network(kind), context.Reference(kind));

    private sealed class Measurement(FrechetMetric metric) : IMetricMeasurement
    {
        private readonly FeatureStatistics _statistics = new(metric._extractor.Dimension);

        public void Add(MeasuredImages batch) => _statistics.Add(batch.Features(metric._extractor));

        public IReadOnlyList<MetricValue> Finish(CancellationToken cancellation) =>
            [new(FrechetDistance.Between(_statistics, metric._reference.Statistics))];

        public void Dispose() => _statistics.Dispose();
    }
}
