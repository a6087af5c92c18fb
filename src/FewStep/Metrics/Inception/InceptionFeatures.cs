namespace FewStep.Metrics;

/// <summary>Inception-v3's 2048 pooled features, on which FID is defined (Heusel et al. 2017), and class scores; dispose it.</summary>
internal sealed class InceptionFeatures : IClassScorer
{
    private readonly InceptionNetwork _network;
    private readonly Dictionary<ImageShape, InceptionInput> _inputs = [];
    private readonly Device _device;

    internal InceptionFeatures(InceptionNetwork network, InceptionKind kind, ImageShape shape, string hash, Device? device = null)
    {
        (_network, Kind, Shape, Hash) = (network, kind, shape, hash);
        _device = device ?? CPU;
        _inputs.Add(shape, new InceptionInput(kind, shape, _device));
        network.MoveTo(_device);
    }

    public InceptionKind Kind { get; }
    public string Name => Kind == InceptionKind.PytorchFid ? "FID" : "FID (TorchScript Inception)";

    /// <summary>What the features are called behind the name of a metric.</summary>
    public string FeatureName => Kind == InceptionKind.PytorchFid ? "Inception-v3" : "Inception-v3, TorchScript";

    public int Dimension => InceptionLayout.Features;
    /// <summary>Shape of the images that it was opened for. Others are resized as well: a reference may have another size.</summary>
    public ImageShape Shape { get; }

    /// <summary>SHA-256 of the weight file, lower-case hexadecimal.</summary>
    public string Hash { get; }

    /// <summary>Whether the file is one of <see cref="InceptionFile.Known"/>, bit for bit.</summary>
    public bool IsOfficial => InceptionFile.Known.Any(f => f.Sha256 == Hash);

    /// <summary>What to know before believing figures on these weights; null for nothing.</summary>
    public string? Remark => IsOfficial ? null
        : $"The Inception-v3 weights (SHA-256 {Hash}) are none of the public files; figures on them compare with no published ones.";

    public int Classes => InceptionLayout.Classes;

    /// <returns>The extractor; the caller owns it.</returns>
    public static InceptionFeatures Load(string path, ImageShape shape, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(shape);
        if (shape.Channels is not (1 or 3))
            throw new InvalidInputException($"Inception-v3 takes gray or RGB images, not {shape.Channels} channels.");
        string hash = Sha256.OfFile(path);
        var (network, kind) = InceptionWeights.Read(path);
        return new InceptionFeatures(network, kind, shape, hash, device);
    }

    public Tensor Extract(Tensor images)
    {
        using var x = Prepare(images);
        return _network.Features(x);
    }

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
        using var x = Prepare(images);
        return _network.BlockMeans(x);
    }

    public void Dispose()
    {
        _network.Dispose();
        foreach (var input in _inputs.Values)
            input.Dispose();
    }

    private Tensor Prepare(Tensor images)
    {
        if (images.dim() != 4 || images.shape[1] is not (1 or 3) || images.numel() == 0)
        {
            throw new ArgumentException(
                $"Images must be [B,C,H,W] with 1 or 3 channels, not [{string.Join(",", images.shape)}].", nameof(images));
        }

        var shape = new ImageShape((int)images.shape[1], (int)images.shape[2], (int)images.shape[3]);
        InceptionInput? input;
        lock (_inputs)
        {
            if (!_inputs.TryGetValue(shape, out input))
                _inputs.Add(shape, input = new InceptionInput(Kind, shape, _device));
        }

        return input.Prepare(images);
    }
}
