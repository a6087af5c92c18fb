using TorchSharp.Modules;

namespace FewStep.Metrics;

/// <summary>A small residual network that classifies images; its penultimate activations are the features of an embedded Fréchet distance,
/// where Inception-v3 is not at hand or does not fit.</summary>
/// <remarks>
/// A strided 5x5 stem, then stages of pre-activation residual blocks at halving resolution, group normalisation throughout (no running
/// statistics), and a mean over positions. Distances on these features rank samplers of one data set; they are no FID and must never be
/// compared with one.
/// </remarks>
internal sealed class FeatureClassifier : nn.Module<Tensor, Tensor>, IClassScorer
{
    private readonly List<nn.Module<Tensor, Tensor>> _trunk = [];
    private readonly Parameter _headWeight;
    private readonly Parameter _headBias;

    public FeatureClassifier(ClassifierConfiguration configuration, long seed = 0, Device? device = null)
        : base(nameof(FeatureClassifier))
    {
        ArgumentNullException.ThrowIfNull(configuration);
        ArgumentOutOfRangeException.ThrowIfNegative(seed);
        configuration.Check("The configuration");
        (Configuration, Device) = (configuration, device ?? CPU);
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        int inputs = configuration.Shape.Channels;
        for (int stage = 0; stage < configuration.Channels.Count; stage++)
        {
            int width = configuration.Channels[stage];
            Append($"stage{stage}_down", new ClassifierConvolution(inputs, width, stage == 0 ? 5 : 3, 2, 1, generator, Device));
            for (int block = 0; block < configuration.Blocks; block++)
                Append($"stage{stage}_block{block}", new ClassifierBlock(width, generator, Device));
            inputs = width;
        }

        Append("norm", new ClassifierActivation(inputs, Device));
        _headWeight = new Parameter(randn([configuration.Classes, inputs], generator: generator).Times_(1 / Math.Sqrt(inputs)).to(Device));
        _headBias = new Parameter(zeros(configuration.Classes, device: Device));
        register_parameter("head_weight", _headWeight);
        register_parameter("head_bias", _headBias);
        foreach (var parameter in parameters())
            parameter.DetachFromDisposeScope();
    }

    public ClassifierConfiguration Configuration { get; internal set; }
    public Device Device { get; }
    public string Name => Configuration.MetricName;
    public string FeatureName => Configuration.FeatureName ?? Name;
    public int Classes => Configuration.Classes;
    public int Dimension => Configuration.Channels[^1];
    public ImageShape Shape => Configuration.Shape;

    /// <summary>SHA-256 over names, shapes and float16 values of the weights, lower-case hexadecimal. Computed at each call.</summary>
    public string Hash
    {
        get
        {
            using var scope = NewDisposeScope();
            using var _ = no_grad();
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            foreach (var (name, value) in Weights())
            {
                hash.AppendData(Encoding.UTF8.GetBytes($"{name}[{string.Join(",", value.shape)}]"));
                hash.AppendData(value.to_type(ScalarType.Float16).cpu().contiguous().bytes);
            }

            return Convert.ToHexStringLower(hash.GetHashAndReset());
        }
    }

    /// <summary>Type that convolutions run in; float32 but for the time of a training.</summary>
    internal ScalarType ComputeType { get; set; } = ScalarType.Float32;

    /// <summary>Computes features, with gradients where they are enabled.</summary>
    /// <param name="images">Images [B,C,H,W], float32 in [-1,1], on any device.</param>
    /// <returns>Mean activations of the last stage [B,d], float32; the caller owns them.</returns>
    public Tensor Features(Tensor images)
    {
        if (images.dim() != 4 || !images.shape.AsSpan(1).SequenceEqual(Shape.Batch(0).AsSpan(1)))
        {
            throw new ArgumentException($"The classifier takes images [B,{Shape.Channels},{Shape.Height},{Shape.Width}], not "
                + $"[{string.Join(",", images.shape)}].", nameof(images));
        }

        using var scope = NewDisposeScope();
        var x = HostCopy.To(images, Device).to_type(ComputeType);
        foreach (var layer in _trunk)
            x = layer.forward(x);
        return x.to_type(ScalarType.Float32).mean([2, 3]).MoveToOuterDisposeScope();
    }

    /// <summary>Computes class scores, with gradients where they are enabled.</summary>
    /// <param name="images">Images [B,C,H,W], float32 in [-1,1], on any device.</param>
    /// <returns>Logits [B,classes], float32; the caller owns them.</returns>
    public Tensor Logits(Tensor images)
    {
        using var features = Features(images);
        return nn.functional.linear(features, _headWeight, _headBias);
    }

    /// <summary>Activations after every stage, the last normalised as features are, [B,C,H,W] each, float32, with gradients where they are
    /// enabled.</summary>
    /// <returns>They belong to the current dispose scope.</returns>
    public IReadOnlyList<Tensor> Stages(Tensor images)
    {
        int layers = Configuration.Blocks + 1;
        var x = HostCopy.To(images, Device);
        List<Tensor> all = [.. _trunk.Select(layer => x = layer.forward(x))];
        return [.. Enumerable.Range(1, Configuration.Channels.Count - 1).Select(stage => all[(stage * layers) - 1]), all[^1]];
    }

    public override Tensor forward(Tensor input) => Logits(input);

    public Tensor Extract(Tensor images)
    {
        using var _ = no_grad();
        return Features(images);
    }

    public Tensor ClassLogits(Tensor features)
    {
        using var _ = no_grad();
        return nn.functional.linear(features, _headWeight, _headBias);
    }

    /// <summary>Rounds the weights to float16, as they are stored: a saved classifier computes the very features of this one.</summary>
    internal void RoundWeights()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var (_, value) in Weights())
            value.copy_(value.to_type(ScalarType.Float16));
    }

    /// <summary>Names and weights in ordinal order of the names; the module keeps owning them.</summary>
    internal IEnumerable<(string Name, Parameter Value)> Weights()
        => named_parameters().OrderBy(p => p.name, StringComparer.Ordinal).Select(p => (p.name, p.parameter));

    private void Append(string name, nn.Module<Tensor, Tensor> layer)
    {
        register_module(name, layer);
        _trunk.Add(layer);
    }
}
