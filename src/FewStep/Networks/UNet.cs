namespace FewStep.Networks;

/// <summary>A U-Net over its plan. Architectures differ in their embedding, in what changes the resolution, and in the end.</summary>
internal abstract class UNet(IUNetOptions options) : Network
{
    private readonly List<IUNetLayer> _layers = [];

    public List<UNetLayer> Plan { get; } = UNetPlan.Of(options);
    public UNetEmbedding Embedding { get; private set; } = null!;

    /// <summary>The layers in the plan's order.</summary>
    public IReadOnlyList<IUNetLayer> Layers => _layers;

    /// <summary>What makes the output; null for the one that the layers' states have summed up.</summary>
    public NormalisedConvolution? End { get; private set; }

    public sealed override double Dropout => options.Dropout;

    public sealed override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition)
    {
        var state = new UNetState(Embedding.Forward(pass, noiseLabels, condition?.Classes), x);
        var skips = new Stack<Tensor>();
        foreach (var (place, layer) in Plan.Zip(_layers))
        {
            if (pass.Encoded is not null && place.Role > UNetRole.Middle)
                return x;
            x = layer.Forward(pass, place.JoinsSkip ? cat([x, skips.Pop()], 1) : x, state);
            if (place.IsEncoder)
                skips.Push(x);
            if (pass.Encoded is not null)
                pass.Encoded[place.Role == UNetRole.Middle ? int.MaxValue : place.Level] = x;
        }

        return End is null ? state.Output! : End.Forward(pass, x, state);
    }

    /// <summary>Makes the layers and, after them, the end: parameters come in this order, those of the embedding first.</summary>
    /// <param name="makeEnd">Makes the end; null where the layers sum the output up.</param>
    protected void Lay(
        UNetEmbedding embedding, Func<UNetLayer, NetworkBuilder, IUNetLayer> make, Func<NormalisedConvolution>? makeEnd = null)
    {
        Embedding = embedding;
        foreach (var place in Plan)
            _layers.Add(make(place, Builder.At(place.Prefix)));
        End = makeEnd?.Invoke();
    }

    /// <summary>The layer of augmentation labels. Without them the reference skips it; its weight stays part of the checkpoint.</summary>
    protected void LayAugmentation(int dimension, int outChannels, WeightInit init)
        => _ = dimension > 0 ? new Linear(Builder.At("map_augment"), dimension, outChannels, init, bias: false) : null;
}
