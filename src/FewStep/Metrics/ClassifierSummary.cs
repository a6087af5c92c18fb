using FewStep.Sampling;

namespace FewStep.Metrics;

/// <summary>A classifier's features as images are matched by them: means and deviations of its last activations.</summary>
/// <param name="classifier">Not owned.</param>
internal sealed class ClassifierSummary(FeatureClassifier classifier) : IFeatureExtractor
{
    public string Name => classifier.Name;
    public int Dimension => 2 * classifier.Dimension;
    public ImageShape Shape => classifier.Shape;
    public string Hash => Sha256.Of($"means and deviations of {classifier.Hash}");

    public Tensor Extract(Tensor images)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        return PerceptualEmbedding.Summarize(classifier.Stages(images)[^1]).MoveToOuterDisposeScope();
    }
}
