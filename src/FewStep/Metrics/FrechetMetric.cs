namespace FewStep.Metrics;

/// <summary>The Fréchet distance of Gaussians fitted to features: FID on Inception-v3 (Heusel et al. 2017). It falls with the number of
/// images (a bias of the estimator), so only values at the same number compare.</summary>
internal static class FrechetMetric
{
    public static MetricEntry OnClassifier { get; } = On(FeatureKind.Classifier, "fd", "Fréchet distance on the features of a classifier");
    public static MetricEntry OnInception { get; } = On(FeatureKind.Inception, "fid", "Fréchet distance on Inception-v3");
    public static MetricEntry OnHeldBack { get; } = On(
        FeatureKind.HeldBack, FeatureKind.HeldBack.Key(OnClassifier.Name), "Fréchet distance on the features of a second classifier");

    public static IMetric Of(FeatureKind kind, IClassScorer extractor, FeatureReference reference)
    {
        string hash = extractor.Hash;
        if (reference.ExtractorHash is { } other && other != hash || reference.Statistics.Dimension != extractor.Dimension)
        {
            throw new InvalidInputException(
                $"The reference was measured by another feature network than '{extractor.Name}'; measure it again.");
        }

        string images = reference.Images is long count ? FormattableString.Invariant($"{count:N0} real images") : "real images";
        var (entry, name, network) = kind switch
        {
            FeatureKind.Inception => (OnInception, "FID", extractor.FeatureName),
            FeatureKind.HeldBack => (OnHeldBack, "FD", "a classifier of the same data by which nothing was tuned, searched or chosen"),
            _ => (OnClassifier, "FD", "a classifier of the same data"),
        };
        string description = $"Fréchet distance between the samples and {images} on {extractor.Dimension} features of {network}; lower is "
            + "better. It falls with the number of samples, and it is not comparable with distances on other features.";
        return new FeatureMetric(
            $"{hash}\n{reference.ImagesHash}", true,
            [
                new(entry.Name, kind.Name(extractor.Name), kind.Name(name), description, HigherIsBetter: false, hash, reference.ImagesHash,
                    reference.Images),
            ],
            (_, _) => new Measurement(extractor, reference));
    }

    private static MetricEntry On(FeatureKind kind, string name, string description) => new(
        name, description, MetricNeeds.Features | MetricNeeds.Reference,
        context => Of(kind, context.Network(kind), context.Reference(kind)), kind);

    private sealed class Measurement(IFeatureExtractor extractor, FeatureReference reference) : IJoinableMeasurement
    {
        private readonly FeatureStatistics _statistics = new(extractor.Dimension);

        public void Add(MeasuredImages batch) => _statistics.Add(batch.Features(extractor));
        public IReadOnlyDictionary<string, Tensor> Sums() => _statistics.Moments();
        public void Join(IReadOnlyDictionary<string, Tensor> sums) => _statistics.Join(sums);

        public IReadOnlyList<MetricValue> Finish(CancellationToken cancellation) =>
            [new(FrechetDistance.Between(_statistics, reference.Statistics))];

        public void Dispose() => _statistics.Dispose();
    }
}
