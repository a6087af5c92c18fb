namespace FewStep.Networks;

/// <summary>Transformer blocks over the pixels of a feature map, between a normalisation and two projections, added to the map: diffusers'
/// <c>Transformer2DModel</c> as its U-Nets have it.</summary>
internal sealed class SpatialTransformer
{
    private const double Epsilon = 1e-6;

    /// <param name="convolutions">Whether the projections are stored as convolutions of one pixel.</param>
    public SpatialTransformer(
        NetworkBuilder builder, int channels, int contextChannels, int heads, int depth, int groups, bool convolutions)
    {
        Norm = new GroupNorm(builder.At("norm"), channels, Epsilon, groups);
        Input = new TokenLinear(builder.At("proj_in").Adapted(LoraLayers.Attention), channels, channels, convolution: convolutions);
        var blocks = builder.At("transformer_blocks");
        Blocks = [.. Enumerable.Range(0, depth).Select(i => new TransformerBlock(blocks.At($"{i}"), channels, contextChannels, heads))];
        Output = new TokenLinear(builder.At("proj_out").Adapted(LoraLayers.Attention), channels, channels, convolution: convolutions);
    }

    public GroupNorm Norm { get; }
    public TokenLinear Input { get; }
    public IReadOnlyList<TransformerBlock> Blocks { get; }
    public TokenLinear Output { get; }

    /// <summary>x [B,C,H,W], context [B,L,C'] → [B,C,H,W].</summary>
    public Tensor Forward(ForwardPass pass, Tensor x, Tensor context)
    {
        using var scope = NewDisposeScope();
        long[] size = x.shape;
        var tokens = Input.Forward(pass, Tokens.OfMap(Norm.Forward(pass, x)));
        foreach (var block in Blocks)
            tokens = block.Forward(pass, tokens, context);
        return x.Plus(Tokens.Map(Output.Forward(pass, tokens), size[2], size[3])).MoveToOuterDisposeScope();
    }
}
