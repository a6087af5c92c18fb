namespace FewStep.Networks;

/// <summary>Self-attention, attention to a context and a feed-forward network, each normalised before and added: diffusers'
/// <c>BasicTransformerBlock</c>.</summary>
internal sealed class TransformerBlock
{
    private readonly Range _parameters;

    public TransformerBlock(NetworkBuilder builder, int channels, int contextChannels, int heads)
    {
        int first = builder.Count;
        Norm1 = new LayerNorm(builder.At("norm1"), channels);
        SelfAttention = new CrossAttention(builder.At("attn1"), channels, channels, heads);
        Norm2 = new LayerNorm(builder.At("norm2"), channels);
        ContextAttention = new CrossAttention(builder.At("attn2"), channels, contextChannels, heads);
        Norm3 = new LayerNorm(builder.At("norm3"), channels);
        FeedForward = new GatedFeedForward(builder.At("ff").At("net"), channels);
        _parameters = builder.Since(first);
    }

    public LayerNorm Norm1 { get; }
    public CrossAttention SelfAttention { get; }
    public LayerNorm Norm2 { get; }
    public CrossAttention ContextAttention { get; }
    public LayerNorm Norm3 { get; }
    public GatedFeedForward FeedForward { get; }

    /// <summary>x [B,N,C], context [B,L,C'] → [B,N,C].</summary>
    public Tensor Forward(ForwardPass pass, Tensor x, Tensor context)
        => pass.Block(_parameters, (own, given) => [Evaluate(own, given[0], given[1])], x, context)[0];

    private Tensor Evaluate(ForwardPass pass, Tensor x, Tensor context)
    {
        using var scope = NewDisposeScope();
        var normal = Norm1.Forward(pass, x);
        x = x.Plus(SelfAttention.Forward(pass, normal, normal));
        x = x.Plus(ContextAttention.Forward(pass, Norm2.Forward(pass, x), context));
        return x.Plus(FeedForward.Forward(pass, Norm3.Forward(pass, x))).MoveToOuterDisposeScope();
    }
}

/// <summary>Two linear layers with a gate of GELU between them (GEGLU, Shazeer 2002.05202) over four times the channels: <c>0.proj</c> and
/// <c>2</c>.</summary>
internal sealed class GatedFeedForward
{
    private const int Expansion = 4;

    public GatedFeedForward(NetworkBuilder builder, int channels)
    {
        builder = builder.Adapted(LoraLayers.FeedForward);
        Input = new TokenLinear(builder.At("0").At("proj"), channels, 2 * Expansion * channels);
        Output = new TokenLinear(builder.At("2"), Expansion * channels, channels);
    }

    public TokenLinear Input { get; }
    public TokenLinear Output { get; }

    /// <summary>x [B,N,C] → [B,N,C].</summary>
    public Tensor Forward(ForwardPass pass, Tensor x)
    {
        using var scope = NewDisposeScope();
        var halves = Input.Forward(pass, x).chunk(2, -1);
        return Output.Forward(pass, halves[0] * nn.functional.gelu(halves[1])).MoveToOuterDisposeScope();
    }
}
