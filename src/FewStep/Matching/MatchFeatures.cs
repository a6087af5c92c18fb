using FewStep.Metrics;
using FewStep.Sampling;

namespace FewStep.Matching;

/// <summary>By what a match compares images: a network's features, of a classifier the means and deviations of each stage's activations,
/// and beside them the finest detail, since grain can stand in for detail in the former.</summary>
/// <param name="network">Not owned.</param>
internal sealed class MatchFeatures(IClassScorer network) : IFeatureExtractor
{
    private readonly Seen _seen = network is FeatureClassifier classifier
        ? new Seen(2 * classifier.Configuration.Channels.Sum(),
            images => cat([.. classifier.Stages(images).Select(PerceptualEmbedding.Summarize)], 1),
            $"means and deviations of each stage, {network.FeatureName}")
        : new Seen(network.Dimension, network.Extract, network.FeatureName);

    public string Name => network.Name;
    public int Dimension => _seen.Dimension + FineDetail.Dimension(Shape);
    public ImageShape Shape => network.Shape;
    public string Hash => Sha256.Of($"match features of {network.Hash}");

    public Tensor Extract(Tensor images)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        var seen = _seen.Of(images);
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
        var (ofNetwork, ofDetail) = (_seen.Dimension, Dimension - _seen.Dimension);
        var variances = real.Covariance().diagonal();
        double one = variances.narrow(0, 0, ofNetwork).mean().AsDouble();
        double all = variances.narrow(0, ofNetwork, ofDetail).sum().AsDouble();
        double factor = all > 1e-12 ? Math.Sqrt(detail * one / all) : 0; // rounding is no detail
        return cat([ones(ofNetwork, dtype: float64), ones(ofDetail, dtype: float64).Times(factor)]).MoveToOuterDisposeScope();
    }

    /// <summary>What is said of them.</summary>
    /// <param name="detail">The detail's weight.</param>
    public string Words(double detail) =>
        detail > 0 ? InvariantText.Of($"{_seen.Words}, finest detail at weight {detail:G4}") : _seen.Words;

    // What a network sees.
    private sealed record Seen(int Dimension, Func<Tensor, Tensor> Of, string Words);
}
