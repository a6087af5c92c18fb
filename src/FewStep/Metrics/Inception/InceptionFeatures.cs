using System.Security.Cryptography;
using FewStep.Denoising;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>The 2048 pooled features of Inception-v3, on which FID is defined (Heusel et al. 2017), and its class scores. Owns the weights; dispose it.</summary>
public sealed class InceptionFeatures : IClassScorer
{
    private readonly InceptionNetwork _network;
    private readonly InceptionInput _input;

    /// <summary>Takes a network over.</summary>
    internal InceptionFeatures(InceptionNetwork network, InceptionKind kind, ImageShape shape, string hash, Device? device = null)
    {
        (_network, Kind, Shape, Hash) = (network, kind, shape, hash);
        _input = new InceptionInput(kind, shape, device ?? CPU);
        network.MoveTo(device ?? CPU);
    }

    /// <summary>Which translation the weights are.</summary>
    public InceptionKind Kind { get; }

    /// <inheritdoc/>
    public string Name => Kind == InceptionKind.PytorchFid ? "FID" : "FID (TorchScript Inception)";

    /// <summary>What the features are called behind the name of a metric.</summary>
    public string FeatureName => Kind == InceptionKind.PytorchFid ? "Inception-v3" : "Inception-v3, TorchScript";

    /// <inheritdoc/>
    public int Dimension => InceptionLayout.Features;

    /// <inheritdoc/>
    public ImageShape Shape { get; }

    /// <summary>SHA-256 of the weight file, lower-case hexadecimal.</summary>
    public string Hash { get; }

    /// <summary>Whether the file is one of <see cref="InceptionFile.Known"/>, bit for bit.</summary>
    public bool IsOfficial => InceptionFile.Known.Any(f => f.Sha256 == Hash);

    /// <summary>What to know before believing figures on these weights; null for nothing.</summary>
    public string? Remark => IsOfficial ? null : $"The Inception-v3 weights (SHA-256 {Hash}) are none of the public files; figures on them compare with no published ones.";

    /// <inheritdoc/>
    public int Classes => InceptionLayout.Classes;

    /// <summary>Reads a weight file.</summary>
    /// <param name="path">pytorch-fid's <c>pt_inception-2015-12-05-6726825d.pth</c> or NVIDIA's <c>inception-2015-12-05.pt</c>; read as data, never run.</param>
    /// <param name="shape">Shape of the images that will be measured, 1 (gray, repeated) or 3 channels.</param>
    /// <param name="device">Where it computes; null for the processor.</param>
    /// <returns>The extractor; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">The file is missing, damaged or holds other weights, or the images have another number of channels.</exception>
    public static InceptionFeatures Load(string path, ImageShape shape, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (shape.Channels is not (1 or 3))
        {
            throw new InvalidInputException($"Inception-v3 takes gray or RGB images, not {shape.Channels} channels.");
        }

        var (network, kind) = InceptionWeights.Read(path);
        try
        {
            using var stream = File.OpenRead(path);
            return new InceptionFeatures(network, kind, shape, Convert.ToHexStringLower(SHA256.HashData(stream)), device);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            network.Dispose();
            throw ReadFailure.Of(path, e);
        }
    }

    /// <inheritdoc/>
    public Tensor Extract(Tensor images)
    {
        if (images.dim() != 4 || !images.shape.AsSpan(1).SequenceEqual(Shape.Batch(0).AsSpan(1)))
        {
            throw new ArgumentException($"Images must be [B,{Shape.Channels},{Shape.Height},{Shape.Width}], not [{string.Join(",", images.shape)}].", nameof(images));
        }

        using var x = _input.Prepare(images);
        return _network.Features(x);
    }

    /// <inheritdoc/>
    public Tensor ClassLogits(Tensor features)
    {
        using var _ = no_grad();
        return _network.Logits(features);
    }

    /// <summary>The spatial means of the four blocks that pytorch-fid offers: 64, 192, 768 and 2048 channels.</summary>
    /// <param name="images">[B,C,H,W], float32 in [-1,1]; not changed and not disposed.</param>
    /// <returns>[B,channels] each; the caller owns them.</returns>
    internal IReadOnlyList<Tensor> BlockMeans(Tensor images)
    {
        using var x = _input.Prepare(images);
        return _network.BlockMeans(x);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _network.Dispose();
        _input.Dispose();
    }
}
