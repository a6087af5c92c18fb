namespace FewStep.Metrics;

/// <summary>Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020).</summary>
internal static class NeighbourMetric
{
    private const string Key = "prdc";

    public static MetricEntry Entry { get; } = MetricEntry.OfImages(Key, null, "precision, recall, density, coverage", Of);
    public static MetricEntry OnHeldBack { get; } = MetricEntry.OfImages(Key, FeatureKind.HeldBack, "the same on a second classifier", Of);

    private static FeatureMetric Of(FeatureKind kind, IClassScorer extractor, FeatureReference reference, MetricOptions options)
    {
        string hash = extractor.Hash, manifold = Ordinal(options.ManifoldNeighbours), covered = Ordinal(options.CoverageNeighbours);
        string identity = string.Create(CultureInfo.InvariantCulture,
            $"{Key}\n{hash}\n{reference.ImagesHash}\n{options.ManifoldNeighbours} {options.CoverageNeighbours} {options.KeptImages} "
                + $"{options.Seed}");
        MetricFigure[] figures =
        [
            Figure("precision",
                $"Share of the samples that lie among real images: within the ball of a real one to its {manifold} neighbour."),
            Figure("recall",
                $"Share of the real images that lie among the samples: within the ball of a sample to its {manifold} neighbour."),
            Figure("density", $"Mean number of real images' balls (to the {covered} neighbour) that a sample lies in, over "
                + $"{options.CoverageNeighbours}; it may exceed 1."),
            Figure("coverage", $"Share of the real images whose ball (to the {covered} neighbour) holds a sample."),
        ];
        return new FeatureMetric(identity, true, figures, (images, skipped) => new KeptFeatures(
            extractor, images, options.KeptImages, skipped, Judge));

        MetricFigure Figure(string key, string description) => new(
            kind.Key(key), kind.Name($"{key} ({extractor.FeatureName})"), kind.Name(key), $"{description} Higher is better.",
            HigherIsBetter: true, hash, reference.ImagesHash, reference.Images);

        IReadOnlyList<MetricValue> Judge(Tensor features, CancellationToken cancellation)
        {
            var found = NeighbourMetrics.Between(reference.Kept!, features, options.ManifoldNeighbours, options.CoverageNeighbours,
                cancellation: cancellation);
            return [new(found.Precision), new(found.Recall), new(found.Density), new(found.Coverage)];
        }
    }

    private static string Ordinal(int k) =>
        $"{k}{(k % 100 is >= 11 and <= 13 ? "th" : (k % 10) switch { 1 => "st", 2 => "nd", 3 => "rd", _ => "th" })}";
}
