namespace FewStep.Metrics;

/// <summary>A feature network that also classifies, which an Inception score needs. Owns its weights; dispose it.</summary>
internal interface IClassScorer : IFeatureExtractor, IDisposable
{
    /// <summary>What the features are called behind the name of a metric, e.g. <c>fashion features</c>.</summary>
    string FeatureName { get; }

    int Classes { get; }

    /// <summary>Class scores of images whose features are known, without gradients.</summary>
    /// <param name="features">Features [B,d] that <see cref="IFeatureExtractor.Extract"/> gave; not changed and not disposed.</param>
    /// <returns>Logits [B,classes]; the caller owns them.</returns>
    Tensor ClassLogits(Tensor features);
}
