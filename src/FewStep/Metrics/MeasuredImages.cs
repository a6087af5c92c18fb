using FewStep.Data;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>A batch of images that several metrics look at: each feature network sees it once. Not for several threads.</summary>
/// <param name="samples">Images [B,C,H,W] as they were sampled, in the model's units ([-1,1] and beyond); not owned.</param>
public sealed class MeasuredImages(Tensor samples) : IDisposable
{
    private readonly Dictionary<IFeatureExtractor, Tensor> _features = [];
    private Tensor? _pixels;

    /// <summary>Number of images B.</summary>
    public int Count => (int)samples.shape[0];

    /// <summary>The images as they were sampled.</summary>
    public Tensor Samples => samples;

    /// <summary>The images as a user would save them: clipped, rounded to 8 bits, in [-1,1]. Owned here.</summary>
    public Tensor Pixels => _pixels ??= PixelScale.RoundTrip(samples).DetachFromDisposeScope();

    /// <summary>Features of <see cref="Pixels"/>, [B,d], without gradients. Owned here.</summary>
    /// <param name="extractor">The feature network.</param>
    public Tensor Features(IFeatureExtractor extractor) =>
        _features.TryGetValue(extractor, out var known) ? known : _features[extractor] = extractor.Extract(Pixels).DetachFromDisposeScope();

    /// <inheritdoc/>
    public void Dispose()
    {
        _pixels?.Dispose();
        foreach (var features in _features.Values)
        {
            features.Dispose();
        }
    }
}
