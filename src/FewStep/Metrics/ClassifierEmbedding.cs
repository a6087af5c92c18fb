using FewStep.Sampling;

namespace FewStep.Metrics;

/// <summary>Images as a classifier sees them.</summary>
internal sealed class ClassifierEmbedding : PerceptualEmbedding
{
    private readonly FeatureClassifier _classifier;

    /// <param name="classifier">The classifier; owned from now on.</param>
    public ClassifierEmbedding(FeatureClassifier classifier)
    {
        _classifier = classifier;
        foreach (var (_, weight) in classifier.Weights())
            weight.requires_grad_(false);
    }

    public override string Name => $"pixels and {_classifier.FeatureName}";
    public override string Identity => _classifier.Hash;
    public override void Dispose() => _classifier.Dispose();
    protected override IReadOnlyList<Tensor> Activations(Tensor images) => _classifier.Stages(images);
}
