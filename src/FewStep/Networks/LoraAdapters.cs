namespace FewStep.Networks;

/// <summary>Low-rank adapters (LoRA, Hu et al. 2106.09685) of a network's matrices and convolutions: W + alpha / rank up down, with down
/// [rank, in, ...] random and up [out, rank, ...] zero at first; a convolution's down has its kernel and its up one pixel. All their
/// numbers are one flat vector.</summary>
internal sealed class LoraAdapters
{
    private static readonly WeightInit DownInit = new(WeightInitMode.KaimingUniform, 1 / Math.Sqrt(3)); // within 1 / sqrt(in)

    private readonly ParameterLayout _network;

    /// <param name="network">The parameters of the network.</param>
    /// <exception cref="InvalidInputException">It lacks such layers.</exception>
    public LoraAdapters(ParameterLayout network, int rank, double alpha, LoraLayers layers = LoraLayers.Attention | LoraLayers.FeedForward)
    {
        (_network, Rank, Alpha) = (network, rank, alpha);
        var adapted = new List<AdaptedLayer>();
        foreach (var (layer, index) in network.Adapted(layers))
        {
            long[] shape = network.Specs[index].Shape, kernel = shape[2..], pixel = [.. kernel.Select(_ => 1L)];
            int down = Layout.Add($"{layer}.down", DownInit, [rank, shape[1], .. kernel]);
            adapted.Add(new(layer, index, down, Layout.Add($"{layer}.up", WeightInit.Zeros, [shape[0], rank, .. pixel])));
        }

        Layers = adapted;
        if (!network.Adapted(LoraLayers.All).Any())
        {
            throw new InvalidInputException("The network has no attention or feed-forward layers over tokens, which are what a LoRA "
                + "adapts: those of text-to-image U-Nets and of transformers. Tune all weights of this one.");
        }

        var lacking = Enum.GetValues<LoraLayers>().Where(kind => kind != LoraLayers.All && layers.HasFlag(kind)
            && kind != LoraLayers.None && !network.Adapted(kind).Any()).Aggregate(LoraLayers.None, (all, kind) => all | kind);
        if (lacking != LoraLayers.None)
        {
            throw new InvalidInputException($"The network has no {LoraLayerNames.Of(lacking)} that a LoRA adapts, as text-to-image U-Nets "
                + "have. Name others.");
        }
    }

    public int Rank { get; }
    public double Alpha { get; }

    /// <summary>Factor of the product of up and down.</summary>
    public double Scale => Alpha / Rank;

    /// <summary>Names, shapes and places of the adapters' numbers.</summary>
    public ParameterLayout Layout { get; } = new();

    public IReadOnlyList<AdaptedLayer> Layers { get; }

    /// <summary>The evaluation of the network with adapters, which alone are differentiated.</summary>
    /// <param name="network">The network's own weights for one evaluation; not differentiated.</param>
    /// <param name="adapters">Flat float32 numbers.</param>
    /// <param name="computeType">Type that the network computes in.</param>
    /// <returns>Its views of the adapters belong to the current dispose scope.</returns>
    public ForwardPass Over(ForwardPass network, Tensor adapters, ScalarType computeType)
    {
        Tensor[] master = Layout.Views(adapters), views = computeType == adapters.dtype ? master : Layout.Views(adapters.to(computeType));
        // What embeds the time computes in float32.
        LowRankUpdate Update(AdaptedLayer layer)
        {
            var own = _network.Specs[layer.Index].Adapted == LoraLayers.TimeProjections ? master : views;
            return new(own[layer.Down], own[layer.Up], Scale);
        }

        return network with { Updates = Layers.ToDictionary(layer => layer.Index, Update) };
    }

    /// <summary>The network's weights with the adapters in them.</summary>
    /// <param name="weights">Flat float32 weights of the network; not changed.</param>
    /// <param name="adapters">Flat float32 numbers.</param>
    /// <returns>float32; the caller owns it.</returns>
    public Tensor Fuse(Tensor weights, Tensor adapters)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var fused = weights.clone();
        var (targets, views) = (_network.Views(fused), Layout.Views(adapters));
        foreach (var layer in Layers)
        {
            using var each = NewDisposeScope();
            var product = views[layer.Up].flatten(1).mm(views[layer.Down].flatten(1));
            var target = targets[layer.Index];
            target.copy_(target.Plus(product.view(target.shape), Scale));
        }

        return fused.MoveToOuterDisposeScope();
    }
}

/// <summary>A layer with adapters.</summary>
/// <param name="Name">The layer's name in the network.</param>
/// <param name="Index">Place of its matrix among the network's parameters.</param>
/// <param name="Down">Place of the adapter's first matrix among the adapters' parameters.</param>
/// <param name="Up">Place of its second.</param>
internal readonly record struct AdaptedLayer(string Name, int Index, int Down, int Up);

/// <summary>What is added to a matrix [out, in] or a convolution [out, in, k, k] during an evaluation: scale up down.</summary>
/// <param name="Down">[rank, in, ...], in the type that the layer computes in.</param>
/// <param name="Up">[out, rank, ...], in the same.</param>
internal sealed record LowRankUpdate(Tensor Down, Tensor Up, double Scale)
{
    /// <summary>y + scale up down x, whatever the matrix's own y = W x + b is: neither the sum of the matrices nor its gradient is ever
    /// made.</summary>
    /// <param name="x">[..., in].</param>
    /// <param name="y">[..., out].</param>
    public Tensor AddTo(Tensor y, Tensor x)
        => y.Plus(nn.functional.linear(nn.functional.linear(x, Down.flatten(1)), Up.flatten(1)), Scale);

    /// <summary>The same of a convolution: one of its own kernel to the rank, and one of a pixel.</summary>
    /// <param name="x">[B, in, H, W].</param>
    /// <param name="y">[B, out, H', W'].</param>
    public Tensor AddTo(Tensor y, Tensor x, long stride, long padding) => y.Plus(
        ChannelPaddedConvolution.Apply(ChannelPaddedConvolution.Apply(x, Down, null, stride, padding), Up, null), Scale);

    /// <summary>With both matrices replaced.</summary>
    public LowRankUpdate Each(Func<Tensor, Tensor> replaced) => this with { Down = replaced(Down), Up = replaced(Up) };
}
