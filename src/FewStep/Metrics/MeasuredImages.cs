using FewStep.Data;

namespace FewStep.Metrics;

/// <summary>A batch of images that several metrics look at: each feature network sees it once. Not for several threads.</summary>
public sealed class MeasuredImages : IDisposable
{
    private readonly Dictionary<IFeatureExtractor, Tensor> _features = [];
    private readonly IAutoencoder? _autoencoder;
    private readonly MeasuredImages? _whole;
    private readonly long _first;
    private Tensor? _pixels;

    /// <summary>Takes a batch.</summary>
    /// <param name="samples">Images [B,C,H,W] as they were sampled, in the model's units ([-1,1] and beyond); not owned.</param>
    public MeasuredImages(Tensor samples) => Samples = samples;

    /// <param name="samples">What a model made; not owned.</param>
    /// <param name="autoencoder">What decodes it, where it is latents; null where it is images.</param>
    internal MeasuredImages(Tensor samples, IAutoencoder? autoencoder) => (Samples, _autoencoder) = (samples, autoencoder);

    private MeasuredImages(MeasuredImages whole, long first, int count)
    {
        (_whole, _first, Samples) = (whole, first, whole.Samples.narrow(0, first, count).DetachFromDisposeScope());
        Labels = whole.Labels is { } labels ? [.. labels.Skip((int)first).Take(count)] : null;
    }

    /// <summary>Number of images B.</summary>
    public int Count => (int)Samples.shape[0];

    /// <summary>Labels of stored images, as their set has them; null where seeds say what images are of.</summary>
    internal IReadOnlyList<int>? Labels { get; init; }

    /// <summary>The images as they were sampled; of a latent model, its latents.</summary>
    public Tensor Samples { get; }

    /// <summary>The images as a user would save them: decoded, clipped, rounded to 8 bits, in [-1,1]. Owned here.</summary>
    /// <exception cref="InvalidInputException">A value is not finite.</exception>
    public Tensor Pixels => _pixels ??= (_whole is null ? Saved() : Narrow(_whole.Pixels)).DetachFromDisposeScope();

    /// <summary>Features of <see cref="Pixels"/>, [B,d], without gradients. Owned here.</summary>
    /// <param name="extractor">The feature network.</param>
    /// <exception cref="InvalidInputException">The images have another shape, or an image or a feature is not finite.</exception>
    public Tensor Features(IFeatureExtractor extractor) => _features.TryGetValue(extractor, out var known)
        ? known
        : _features[extractor] = (_whole is null ? Extract(extractor) : Narrow(_whole.Features(extractor))).DetachFromDisposeScope();

    /// <summary>Some of the images, with the features that all together have.</summary>
    /// <returns>The part, which must not outlive the whole; the caller owns it.</returns>
    internal MeasuredImages Part(int first, int count) => new(this, first, count);

    /// <inheritdoc/>
    public void Dispose()
    {
        _pixels?.Dispose();
        foreach (var features in _features.Values)
            features.Dispose();
        if (_whole is not null)
            Samples.Dispose();
    }

    private Tensor Saved()
    {
        using var scope = NewDisposeScope();
        return PixelScale.RoundTrip(_autoencoder?.DecodeAll(Samples) ?? Samples).MoveToOuterDisposeScope();
    }

    private Tensor Narrow(Tensor whole) => whole.narrow(0, _first, Count);

    private Tensor Extract(IFeatureExtractor extractor)
    {
        if (extractor is not InceptionFeatures && !Pixels.shape.AsSpan().SequenceEqual(extractor.Shape.Batch(Count)))
        {
            string shape = string.Join(" x ", Pixels.shape.Skip(1));
            throw new InvalidInputException($"The images have shape {shape}; the features of '{extractor.Name}' need {extractor.Shape}.");
        }

        using var scope = NewDisposeScope();
        using var inference = no_grad();
        var features = extractor.Extract(Pixels);
        return isfinite(features).all().AsBoolean()
            ? features.MoveToOuterDisposeScope()
            : throw new InvalidInputException("A feature of an image is not finite: the feature network holds NaN or infinity.");
    }
}
