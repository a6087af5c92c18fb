using TorchSharp;

namespace FewStep.Networks;

/// <summary>A preconditioned network with its weights: a denoiser for sampling, and a differentiable function of its weights for
/// training.</summary>
internal sealed class NetworkDenoiser : IDenoiser, IKnowsNoClass, IRawNetwork, IDisposable
{
    private readonly Network _network;
    private readonly int _patch;
    private readonly Lock _cacheLock = new();
    private ForwardPass? _cached;

    /// <param name="weights">Flat float32 weights in the network's layout; owned by this denoiser from now on.</param>
    public NetworkDenoiser(
        Network network, IPreconditioning preconditioning, ImageShape shape, int classes, Tensor weights, int patchSize = 1)
    {
        if (weights.NumberOfElements != network.Layout.Count || weights.dtype != ScalarType.Float32)
        {
            throw new ArgumentException($"The network has {network.Layout.Count} float32 weights, not {weights.NumberOfElements} of "
                + $"{weights.dtype}.", nameof(weights));
        }

        if (patchSize < 1 || shape.Height % patchSize != 0 || shape.Width % patchSize != 0)
            throw new InvalidInputException($"Patches of {patchSize} pixels do not divide images of {shape}.");
        (_network, Preconditioning, Shape, _patch, Conditions) =
            (network, preconditioning, shape, patchSize, new ClassConditions(classes));
        Weights = weights.DetachFromDisposeScope();
    }

    public ImageShape Shape { get; }
    public int Classes => Conditions.Count;

    /// <summary>What its labels mean to the network; at first its classes. Not owned.</summary>
    public IConditions Conditions { get; set; }

    /// <summary>Whether it was trained with label dropout; default true.</summary>
    public bool KnowsNoClass { get; init; } = true;

    public double SigmaMin => Preconditioning.SigmaMin;
    public double SigmaMax => Preconditioning.SigmaMax;
    public IPreconditioning Preconditioning { get; }
    public ParameterLayout Layout => _network.Layout;

    /// <summary>What it evaluates; owned here.</summary>
    public Network Network => _network;

    /// <summary>Side of the square patches that are folded into channels before the network; 1 is none.</summary>
    public int PatchSize => _patch;

    /// <summary>Untrained tensors of the checkpoint by name; owned by the network.</summary>
    public IReadOnlyDictionary<string, Tensor> Buffers => _network.Buffers;

    /// <summary>The flat float32 weights, owned by this denoiser. After changing them in place call <see cref="WeightsChanged"/>.</summary>
    public Tensor Weights { get; private set; }

    /// <summary>Those weights for one evaluation, in the compute type; owned here.</summary>
    public ForwardPass OwnPass => Cached() with { };

    /// <summary>Where the weights lie, and so where it computes: the processor, until <see cref="MoveTo"/>.</summary>
    public Device Device => Weights.device;

    /// <summary>Type in which the network computes: float32 (default) or bfloat16. Preconditioning keeps the type of x.</summary>
    public ScalarType ComputeType
    {
        get => field;
        set
        {
            if (value is not (ScalarType.Float32 or ScalarType.BFloat16))
                throw new ArgumentException($"Networks compute in float32 or bfloat16, not {value}.", nameof(value));
            field = value;
            WeightsChanged();
        }
    }
    = ScalarType.Float32;

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var pass = Cached();
        return new BatchShares(x, sigma, Told(labels, x.shape[0]), ComputeType)
            .Evaluate((images, levels, told) => Denoise(pass with { }, images, levels, told)).MoveToOuterDisposeScope();
    }

    /// <summary>Denoises with given weights, differentiably in them and in the images.</summary>
    /// <param name="weights">Flat float32 weights.</param>
    /// <param name="x">Noised images [B,C,H,W].</param>
    /// <param name="sigma">Noise levels [B] or [1], of the type of <paramref name="x"/>.</param>
    /// <param name="labels">int64 [B], -1 for none; or null.</param>
    /// <returns>D(x; sigma), of the type of <paramref name="x"/>; it belongs to the current dispose scope.</returns>
    public Tensor Denoise(Tensor weights, Tensor x, Tensor sigma, Tensor? labels, Generator? dropout = null)
        => Denoise(weights, own => ForwardPass.Over(Layout, own, ComputeType, dropout), x, sigma, labels,
            inOrder: dropout is not null && _network.Dropout > 0); // masked by one generator, in the batch's order

    /// <summary>Denoises with what follows from a vector, differentiably in it and in the images.</summary>
    /// <param name="trained">Flat float32 vector.</param>
    /// <param name="pass">Makes an evaluation's weights of it, or of a copy; they belong to the dispose scope that it is called in.</param>
    /// <param name="inOrder">Whether the batch must stay whole.</param>
    /// <inheritdoc cref="Denoise(Tensor, Tensor, Tensor, Tensor, Generator)"/>
    public Tensor Denoise(
        Tensor trained, Func<Tensor, ForwardPass> pass, Tensor x, Tensor sigma, Tensor? labels, bool inOrder = false)
    {
        var condition = Told(labels, x.shape[0]);
        var shares = new BatchShares(x, sigma, condition, ComputeType);
        bool imagesAlone = x.requires_grad && !trained.requires_grad;
        if (shares.Count == 1 || inOrder || imagesAlone || !shares.HasRoomForGradients(trained.NumberOfElements))
            return Denoise(pass(trained), x, sigma, condition);
        if (is_grad_enabled() && trained.requires_grad)
            return shares.Evaluate(trained, (share, images, levels, told) => Denoise(pass(share), images, levels, told));
        var all = pass(trained);
        return shares.Evaluate((images, levels, told) => Denoise(all with { }, images, levels, told));
    }

    /// <inheritdoc/>
    public Tensor Raw(Tensor x, Tensor noiseLabels, Tensor? labels)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        return Raw(Cached(), x.to(ComputeType), noiseLabels, Told(labels, x.shape[0])).to(x.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>What the network makes of images on the way down: the last activations of each level and of the middle, with gradients in
    /// the images where those are enabled.</summary>
    /// <param name="sigma">The noise level that it is told; nothing is added to the images.</param>
    /// <returns>[B,C,H,W] each, float32; they belong to the current dispose scope.</returns>
    public IReadOnlyList<Tensor> Encode(Tensor images, double sigma)
    {
        var c = Preconditioning.Coefficients(TensorArithmetic.Full([1], sigma, images.dtype, images.device));
        var pass = Cached() with { Encoded = [] };
        Raw(pass, (images * Column(c.In)).to(ComputeType), c.Noise, Told(null, images.shape[0]));
        return [.. pass.Encoded.Values.Select(x => x.to(ScalarType.Float32))];
    }

    /// <summary>Multiplications, each with its addition, of the convolutions, linear layers and attention for one image; found by
    /// evaluating it.</summary>
    public long CountMultiplyAdds()
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var pass = ForwardPass.Over(Layout, Weights, ComputeType);
        Denoise(pass, zeros(Shape.Batch(1), device: Device), ones(1, device: Device), Told(null, 1));
        return pass.MultiplyAdds;
    }

    /// <summary>Moves weights and buffers to a device, once; everything that it is given must lie there from then on. <see cref="Weights"/>
    /// is another tensor afterwards.</summary>
    public void MoveTo(Device device)
    {
        using var noGradient = no_grad();
        var moved = Weights.to(device);
        if (!ReferenceEquals(moved, Weights))
        {
            WeightsChanged();
            Weights.Dispose();
            Weights = moved.DetachFromDisposeScope();
        }

        _network.MoveBuffers(device);
    }

    /// <summary>Drops what was derived from the weights, so that the next evaluation sees them as they are now.</summary>
    public void WeightsChanged()
    {
        foreach (var view in _cached?.Views ?? [])
            view.Dispose();
        _cached = null;
    }

    public void Dispose()
    {
        WeightsChanged();
        Weights.Dispose();
        _network.Dispose();
    }

    private NetworkCondition Told(Tensor? labels, long batch) => Conditions.Of(labels, batch, Device, ComputeType);

    private Tensor Denoise(ForwardPass pass, Tensor x, Tensor sigma, NetworkCondition? condition)
    {
        using var scope = NewDisposeScope();
        var c = Preconditioning.Coefficients(sigma);
        var raw = Raw(pass, (x * Column(c.In)).to(ComputeType), c.Noise, condition);
        if (raw.shape[1] > Shape.Channels)
            raw = raw.narrow(1, 0, Shape.Channels); // further channels hold a learned variance

        return addcmul(x * Column(c.Skip), raw.to(x.dtype), Column(c.Out), TensorArithmetic.One).MoveToOuterDisposeScope();
    }

    private Tensor Raw(ForwardPass pass, Tensor input, Tensor noiseLabels, NetworkCondition? condition)
    {
        var noise = noiseLabels.to(ScalarType.Float32).expand(input.shape[0]);
        var folded = _patch == 1 ? input : nn.functional.pixel_unshuffle(input, _patch);
        var raw = _network.Forward(pass, ChannelsLast(folded), noise, condition);
        if (pass.Encoded is not null)
            return raw;
        return (_patch == 1 ? raw : nn.functional.pixel_shuffle(raw, _patch)).contiguous();
    }

    private ForwardPass Cached()
    {
        lock (_cacheLock)
        {
            if (_cached is null)
            {
                using var scope = NewDisposeScope();
                var pass = ForwardPass.Over(Layout, Weights, ComputeType);
                foreach (var view in pass.Views)
                    view.DetachFromDisposeScope(); // freed by WeightsChanged

                _cached = pass;
            }

            return _cached;
        }
    }

    // A processor's convolutions are fastest in this layout, and every later layer keeps it.
    internal static Tensor ChannelsLast(Tensor x)
        => x.device_type != DeviceType.CPU ? x : x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);

    private static Tensor Column(Tensor c) => c.view(-1, 1, 1, 1);
}
