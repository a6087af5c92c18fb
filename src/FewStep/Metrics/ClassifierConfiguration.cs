namespace FewStep.Metrics;

/// <summary>Architecture of a <see cref="FeatureClassifier"/> and the name of its metric: the <c>config.json</c> of its folder.</summary>
internal sealed record ClassifierConfiguration(ImageShape Shape, int Classes, IReadOnlyList<int> Channels, int Blocks, string MetricName)
{
    /// <summary>What other metrics call the features, e.g. <c>fashion features</c>; null for the metric's name.</summary>
    public string? FeatureName { get; init; }

    /// <summary>How the weights were made; null for a classifier that was not trained here.</summary>
    public ClassifierTrainingRecord? Training { get; init; }

    public void Check(string source)
    {
        new OptionRules($"{source} does not describe a classifier")
            .Require(Shape.Height is >= 8 and <= 256 && Shape.Width is >= 8 and <= 256, $"shape {Shape} must have sides of 8 to 256 pixels")
            .Require(Classes is >= 2 and <= 10000, $"classes {Classes} must be 2 to 10000")
            .Require(
                Channels.Count is >= 1 and <= 5 && Channels.All(c => c is >= 8 and <= 512 && c % 8 == 0),
                $"channels [{string.Join(", ", Channels.Take(8))}] must be one to five multiples of 8 between 8 and 512")
            .Require(Blocks is >= 1 and <= 8, $"blocks {Blocks} must be 1 to 8")
            .Require(IsName(MetricName), $"metric_name must be one line of 1 to 80 characters")
            .Require(FeatureName is null || IsName(FeatureName), $"feature_name must be one line of 1 to 80 characters")
            .Check();
    }

    private static bool IsName(string text) => text.Trim().Length is >= 1 and <= 80 && !text.Any(char.IsControl);
}
