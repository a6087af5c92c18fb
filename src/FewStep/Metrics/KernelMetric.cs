namespace FewStep.Metrics;

/// <summary>Kernel distance with the cubic polynomial kernel: KID on Inception-v3 (Binkowski et al. 2018).</summary>
internal sealed class KernelMetric : IMetric
{
    private readonly IFeatureExtractor _extractor;
    private readonly FeatureReference _reference;
    private readonly MetricOptions _options;

    public KernelMetric(FeatureKind kind, IClassScorer extractor, FeatureReference reference, MetricOptions options)
    {
        (_extractor, _reference, _options) = (extractor, reference, options);
        string hash = extractor.Hash, name = kind == FeatureKind.Inception ? "KID" : "KD";
        Identity = string.Create(CultureInfo.InvariantCulture,
            $"{Entry.Name}\n{hash}\n{reference.ImagesHash}\n{options.KernelSubsets} {options.KernelSubsetSize} {options.KeptImages} "
                + $"{options.Seed}");
        Figures =
        [
            new(
                Entry.Name,
                $"{name} ({extractor.FeatureName})",
                name,
                $"Kernel distance (squared maximum mean discrepancy) to real images on {extractor.Dimension} features of "
                    + $"{extractor.FeatureName}; "
                    + "lower is better. It does not depend on the number of samples, and it may be slightly negative.",
                HigherIsBetter: false,
                hash,
                reference.ImagesHash,
                reference.Images),
        ];
    }

    public static MetricEntry Entry { get; } = new()
    {
        Name = "kid",
        Description = "kernel distance: KID on Inception-v3, KD on a classifier",
        Needs = MetricNeeds.Features | MetricNeeds.Reference | MetricNeeds.ReferenceImages,
        Create = context => new KernelMetric(
            context.Features, context.Network(context.Features), context.Reference(context.Features), context.Options),
    };

    public IReadOnlyList<MetricFigure> Figures { get; }
    public string Identity { get; }
    public bool ComparesWithRealImages => true;

    public IMetricMeasurement Begin(int images, SeedRange? seeds) => new KeptFeatures(_extractor, images, _options.KeptImages, Judge);

    private IReadOnlyList<MetricValue> Judge(Tensor features, CancellationToken cancellation)
    {
        var (distance, deviation) = KernelDistance.Between(
            features, _reference.Kept!, _options.KernelSubsets, _options.KernelSubsetSize, _options.Seed, cancellation);
        return [new(distance, deviation)];
    }
}
