namespace FewStep.Metrics;

/// <summary>The Inception score (Salimans et al. 2016), or the same on a classifier's classes; needs no reference.</summary>
internal static class ClassScoreMetric
{
    public static MetricEntry Entry { get; } = new(
        "is", "Inception score, or the class score of a classifier; compares with nothing", MetricNeeds.Features,
        context => Of(context.Features, context.Network(context.Features), context.Options.ScoreSplits));

    private static FeatureMetric Of(FeatureKind kind, IClassScorer scorer, int splits)
    {
        string hash = scorer.Hash, name = kind == FeatureKind.Inception ? "Inception score" : "class score";
        string description = $"How sure {scorer.FeatureName} is of each sample's class and how evenly the classes come, 1 to "
            + $"{scorer.Classes}; higher is better.";
        return new FeatureMetric(
            FormattableString.Invariant($"{Entry.Name}\n{hash}\n{splits}"), false,
            [new(Entry.Name, $"{name} ({scorer.FeatureName})", name, description, HigherIsBetter: true, hash)],
            (images, skipped) => new Measurement(scorer, new ClassScore(scorer.Classes, images, splits, skipped)));
    }

    private sealed class Measurement(IClassScorer scorer, ClassScore score) : IJoinableMeasurement
    {
        public void Add(MeasuredImages batch)
        {
            using var scope = NewDisposeScope();
            score.Add(scorer.ClassLogits(batch.Features(scorer)));
        }

        public IReadOnlyDictionary<string, Tensor> Sums() => score.Sums();
        public void Join(IReadOnlyDictionary<string, Tensor> sums) => score.Join(sums);
        public IReadOnlyList<MetricValue> Finish(CancellationToken cancellation) => [score.Value()];

        public void Dispose() => score.Dispose();
    }
}
