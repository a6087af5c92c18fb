namespace FewStep.Metrics;

/// <summary>The Inception score on Inception-v3's classes (Salimans et al. 2016), or the same on a classifier's; needs no
/// reference.</summary>
internal sealed class ClassScoreMetric : IMetric
{
    private readonly IClassScorer _scorer;
    private readonly MetricOptions _options;

    public ClassScoreMetric(FeatureKind kind, IClassScorer scorer, MetricOptions options)
    {
        (_scorer, _options) = (scorer, options);
        string hash = scorer.Hash, name = kind == FeatureKind.Inception ? "Inception score" : "class score";
        Identity = FormattableString.Invariant($"{Entry.Name}\n{hash}\n{options.ScoreSplits}");
        Figures =
        [
            new(
                Entry.Name,
                $"{name} ({scorer.FeatureName})",
                name,
                $"How sure {scorer.FeatureName} is of each sample's class and how evenly the classes come, 1 to {scorer.Classes}; higher "
                    + "is better.",
                HigherIsBetter: true,
                hash),
        ];
    }

    public static MetricEntry Entry { get; } = new()
    {
        Name = "is",
        Description = "Inception score, or the class score of a classifier; compares with nothing",
        Needs = MetricNeeds.Features,
        Create = context => new ClassScoreMetric(context.Features, context.Network(context.Features), context.Options),
    };

    public IReadOnlyList<MetricFigure> Figures { get; }
    public string Identity { get; }
    public bool ComparesWithRealImages => false;

    public IMetricMeasurement Begin(int images, SeedRange? seeds)
        => new Measurement(_scorer, new ClassScore(_scorer.Classes, images, _options.ScoreSplits));

    private sealed class Measurement(IClassScorer scorer, ClassScore score) : IMetricMeasurement
    {
        public void Add(MeasuredImages batch)
        {
            using var scope = NewDisposeScope();
            score.Add(scorer.ClassLogits(batch.Features(scorer)));
        }

        public IReadOnlyList<MetricValue> Finish(CancellationToken cancellation)
        {
            var (mean, deviation) = score.Value();
            return [new(mean, deviation)];
        }

        public void Dispose() => score.Dispose();
    }
}
