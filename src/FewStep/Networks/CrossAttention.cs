namespace FewStep.Networks;

/// <summary>Attention of tokens to those of a context, which may be themselves: diffusers' <c>Attention</c> with <c>to_q</c>, <c>to_k</c>,
/// <c>to_v</c> and <c>to_out.0</c>.</summary>
internal sealed class CrossAttention
{
    /// <param name="bias">Whether query, key and value have a bias; the output always has one.</param>
    public CrossAttention(NetworkBuilder builder, int channels, int contextChannels, int heads, bool bias = false)
    {
        if (channels % heads != 0)
            throw new InvalidInputException($"{channels} channels cannot be divided among {heads} attention heads.");
        Heads = heads;
        builder = builder.Adapted(LoraLayers.Attention);
        Query = new TokenLinear(builder.At("to_q"), channels, channels, bias);
        Key = new TokenLinear(builder.At("to_k"), contextChannels, channels, bias);
        Value = new TokenLinear(builder.At("to_v"), contextChannels, channels, bias);
        Output = new TokenLinear(builder.At("to_out").At("0"), channels, channels);
    }

    public int Heads { get; }
    public TokenLinear Query { get; }
    public TokenLinear Key { get; }
    public TokenLinear Value { get; }
    public TokenLinear Output { get; }

    /// <summary>x [B,N,C], context [B,L,C'] → [B,N,C].</summary>
    public Tensor Forward(ForwardPass pass, Tensor x, Tensor context)
    {
        using var scope = NewDisposeScope();
        var attended = Tokens.Attend(
            pass, EachHead(Query.Forward(pass, x)), EachHead(Key.Forward(pass, context)), EachHead(Value.Forward(pass, context)));
        return Output.Forward(pass, attended).MoveToOuterDisposeScope();
    }

    // [B,N,C] → [B,heads,N,C/heads]
    private Tensor EachHead(Tensor x) => x.view(x.shape[0], x.shape[1], Heads, x.shape[2] / Heads).transpose(1, 2);
}
