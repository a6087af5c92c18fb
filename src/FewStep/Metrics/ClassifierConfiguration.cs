using FewStep.Denoising;
using FewStep.Platform;

namespace FewStep.Metrics;

/// <summary>Architecture of a <see cref="FeatureClassifier"/> and the name of its metric: the <c>config.json</c> of its folder.</summary>
/// <param name="Shape">Image shape; sides of 8 to 256 pixels.</param>
/// <param name="Classes">Number of classes, 2 to 10,000.</param>
/// <param name="Channels">Width of each stage, one to five multiples of 8 between 8 and 512. Each stage has half the resolution of the one before, the first half of the image's;
/// the last is the dimension of the features.</param>
/// <param name="Blocks">Residual blocks in each stage, 1 to 8.</param>
/// <param name="MetricName">Display name of the Fréchet distance on the features, one line of 1 to 80 characters.</param>
public sealed record ClassifierConfiguration(ImageShape Shape, int Classes, IReadOnlyList<int> Channels, int Blocks, string MetricName)
{
    /// <summary>How the weights were made; null for a classifier that was not trained here.</summary>
    public ClassifierTrainingRecord? Training { get; init; }

    /// <summary>Refuses values out of range.</summary>
    /// <param name="source">Where the configuration comes from, for the message.</param>
    /// <exception cref="InvalidInputException">A value is out of range; one line lists all that are.</exception>
    public void Check(string source)
    {
        new OptionRules($"{source} does not describe a classifier")
            .Require(Shape.Height is >= 8 and <= 256 && Shape.Width is >= 8 and <= 256, $"shape {Shape} must have sides of 8 to 256 pixels")
            .Require(Classes is >= 2 and <= 10000, $"classes {Classes} must be 2 to 10000")
            .Require(
                Channels.Count is >= 1 and <= 5 && Channels.All(c => c is >= 8 and <= 512 && c % 8 == 0),
                $"channels [{string.Join(", ", Channels.Take(8))}] must be one to five multiples of 8 between 8 and 512")
            .Require(Blocks is >= 1 and <= 8, $"blocks {Blocks} must be 1 to 8")
            .Require(MetricName.Trim().Length is >= 1 and <= 80 && !MetricName.Any(char.IsControl), $"metric_name must be one line of 1 to 80 characters")
            .Check();
    }
}
