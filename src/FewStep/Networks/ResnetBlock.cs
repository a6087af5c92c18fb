namespace FewStep.Networks;

/// <summary>Residual block of two convolutions with diffusers' names (<c>ResnetBlock2D</c>).</summary>
internal sealed class ResnetBlock
{
    private readonly Range _parameters;

    /// <param name="embeddingChannels">Size of the embedding that is added between the convolutions; null without one.</param>
    public ResnetBlock(
        NetworkBuilder builder, int inChannels, int outChannels, int? embeddingChannels, int groups, double epsilon)
    {
        int first = builder.Count;
        var init = new WeightInit(WeightInitMode.XavierUniform);
        NetworkBuilder Convolution(string name) => builder.At(name).Adapted(LoraLayers.Convolutions);
        Norm1 = new GroupNorm(builder.At("norm1"), inChannels, epsilon, groups);
        Conv1 = new Conv2d(Convolution("conv1"), inChannels, outChannels, 3, init);
        Embedding = embeddingChannels is { } size
            ? new Linear(builder.At("time_emb_proj").Adapted(LoraLayers.TimeProjections), size, outChannels, init) : null;
        Norm2 = new GroupNorm(builder.At("norm2"), outChannels, epsilon, groups);
        Conv2 = new Conv2d(Convolution("conv2"), outChannels, outChannels, 3, init);
        Shortcut = inChannels == outChannels ? null : new Conv2d(Convolution("conv_shortcut"), inChannels, outChannels, 1, init);
        _parameters = builder.Since(first);
    }

    public GroupNorm Norm1 { get; }
    public Conv2d Conv1 { get; }
    public Linear? Embedding { get; }
    public GroupNorm Norm2 { get; }
    public Conv2d Conv2 { get; }
    public Conv2d? Shortcut { get; }

    /// <summary>x [B,in,H,W] → [B,out,H,W].</summary>
    /// <param name="embedding">[B,E] after its SiLU, float32; null without one.</param>
    public Tensor Forward(ForwardPass pass, Tensor x, Tensor? embedding = null) => pass.Block(
        _parameters, (own, given) => [Evaluate(own, given[0], given.ElementAtOrDefault(1))], embedding is null ? [x] : [x, embedding])[0];

    private Tensor Evaluate(ForwardPass pass, Tensor x, Tensor? embedding)
    {
        using var scope = NewDisposeScope();
        var inner = Convolved(pass, Conv1, Norm1.ForwardSilu(pass, x));
        inner = Convolved(pass, Conv2, Norm2.ForwardSilu(pass, inner, Embedding?.Forward(pass, embedding!)));
        return inner.Plus(Shortcut is null ? x : Shortcut.Forward(pass, x)).MoveToOuterDisposeScope();
    }

    // Of large images each map counts.
    private static Tensor Convolved(ForwardPass pass, Conv2d convolution, Tensor normal)
    {
        using (normal)
            return convolution.Forward(pass, normal);
    }
}
