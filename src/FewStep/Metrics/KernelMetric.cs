namespace FewStep.Metrics;

/// <summary>Kernel distance with the cubic polynomial kernel: KID on Inception-v3 (Binkowski et al. 2018).</summary>
internal static class KernelMetric
{
    private const string Key = "kid";

    public static MetricEntry Entry { get; } = MetricEntry.OfImages(
        Key, null, "kernel distance: KID on Inception-v3, KD on a classifier", Of);

    public static MetricEntry OnHeldBack { get; } = MetricEntry.OfImages(
        Key, FeatureKind.HeldBack, "kernel distance on a second classifier", Of);

    private static FeatureMetric Of(FeatureKind kind, IClassScorer extractor, FeatureReference reference, MetricOptions options)
    {
        string hash = extractor.Hash, name = kind == FeatureKind.Inception ? "KID" : "KD";
        string identity = string.Create(CultureInfo.InvariantCulture,
            $"{Key}\n{hash}\n{reference.ImagesHash}\n{options.KernelSubsets} {options.KernelSubsetSize} {options.KeptImages} "
                + $"{options.Seed}");
        string description = $"Kernel distance (squared maximum mean discrepancy) to real images on {extractor.Dimension} features of "
            + $"{extractor.FeatureName}; lower is better. It does not depend on the number of samples, and it may be slightly negative.";
        return new FeatureMetric(
            identity,
            true,
            [new(kind.Key(Key), kind.Name($"{name} ({extractor.FeatureName})"), kind.Name(name), description, HigherIsBetter: false, hash,
                reference.ImagesHash, reference.Images)],
            (images, skipped) => new KeptFeatures(extractor, images, options.KeptImages, skipped, (features, cancellation) =>
                [KernelDistance.Between(
                    features, reference.Kept!, options.KernelSubsets, options.KernelSubsetSize, options.Seed, cancellation)]));
    }
}
