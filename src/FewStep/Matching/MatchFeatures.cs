using FewStep.Metrics;
using FewStep.Sampling;

namespace FewStep.Matching;

/// <summary>By what a match compares images: a network's features, of a classifier the means and deviations of each stage's activations,
/// and beside them the finest detail, since grain can stand in for detail in the former.</summary>
/// <param name="network">Not owned.</param>
internal sealed class MatchFeatures(IClassScorer network) : IFeatureExtractor
{
    public string Name => network.Name;
    public int Dimension => OfNetwork + FineDetail.Dimension(Shape);
    public ImageShape Shape => network.Shape;
    public string Hash => Sha256.Of($"match features of {network.Hash}");

    private int OfNetwork =>
        network is FeatureClassifier classifier ? 2 * classifier.Configuration.Channels.Sum() : network.Dimension;

    public Tensor Extract(Tensor images)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        var seen = network is FeatureClassifier classifier
            ? cat([.. classifier.Stages(images).Select(PerceptualEmbedding.Summarize)], 1) : network.Extract(images);
        return cat([seen, FineDetail.Of(images).to(seen.device)], 1).MoveToOuterDisposeScope();
    }

    /// <summary>Factors of the features: with them the detail of real images varies in all as much as so many of the network's features do
    /// on average.</summary>
    /// <param name="real">Features of real images.</param>
    /// <param name="detail">The number, 0 or more.</param>
    /// <returns>[d], float64; belongs to the current dispose scope.</returns>
    public Tensor Weights(FeatureStatistics real, double detail)
    {
        using var scope = NewDisposeScope();
        var variances = real.Covariance().diagonal();
        double one = variances.narrow(0, 0, OfNetwork).mean().AsDouble();
        double all = variances.narrow(0, OfNetwork, Dimension - OfNetwork).sum().AsDouble();
        double factor = all > 1e-12 ? Math.Sqrt(detail * one / all) : 0; // rounding is no detail
        return cat([ones(OfNetwork, dtype: float64), ones(Dimension - OfNetwork, dtype: float64).Times(factor)]).MoveToOuterDisposeScope();
    }

    /// <summary>What is said of them.</summary>
    public static string Words(IClassScorer network, double detail)
    {
        string features = network is FeatureClassifier ? $"means and deviations of each stage, {network.FeatureName}" : network.FeatureName;
        return detail > 0 ? InvariantText.Of($"{features}, finest detail at weight {detail:G4}") : features;
    }
}
