namespace FewStep.Networks;

/// <summary>What a block of joint attention is made of beside its sizes.</summary>
internal sealed record JointBlockOptions(int Channels, int Heads)
{
    /// <summary>Whether query and key are normalised by head.</summary>
    public bool Normalised { get; init; }

    /// <summary>Whether the image has a second attention over itself alone.</summary>
    public bool Dual { get; init; }

    /// <summary>Whether the block is the last, which leaves the text behind.</summary>
    public bool EndsText { get; init; }
}

/// <summary>A block of a multimodal transformer (Esser et al. 2403.03206): image and text have weights of their own and one attention over
/// both, with diffusers' parameter names.</summary>
internal sealed class JointBlock
{
    private readonly Range _parameters;
    public Linear Modulation { get; }
    public Linear TextModulation { get; }
    public HeadProjections Heads { get; }
    public HeadProjections TextHeads { get; }
    public HeadProjections? OwnHeads { get; }
    public TokenLinear Projection { get; }
    public TokenLinear? TextProjection { get; }
    public TokenLinear? OwnProjection { get; }
    public TokenFeedForward FeedForward { get; }
    public TokenFeedForward? TextFeedForward { get; }

    public JointBlock(NetworkBuilder builder, JointBlockOptions options)
    {
        int channels = options.Channels, heads = options.Heads, first = builder.Count;
        Linear ForCondition(string name, int count) => new(builder.At($"{name}.linear"), channels, count * channels, WeightInit.Zeros);
        Modulation = ForCondition("norm1", options.Dual ? 9 : 6);
        TextModulation = ForCondition("norm1_context", options.EndsText ? 2 : 6);
        var attention = builder.At("attn").Adapted(LoraLayers.Attention);
        Heads = new HeadProjections(attention, channels, heads, options.Normalised);
        TextHeads = new HeadProjections(attention, channels, heads, options.Normalised, added: true);
        Projection = new TokenLinear(attention.At("to_out.0"), channels, channels);
        TextProjection = options.EndsText ? null : new TokenLinear(attention.At("to_add_out"), channels, channels);
        FeedForward = new TokenFeedForward(builder.At("ff"), channels);
        TextFeedForward = options.EndsText ? null : new TokenFeedForward(builder.At("ff_context"), channels);
        if (options.Dual)
        {
            OwnHeads = new HeadProjections(builder.At("attn2"), channels, heads, options.Normalised);
            OwnProjection = new TokenLinear(builder.At("attn2.to_out.0").Adapted(LoraLayers.Attention), channels, channels);
        }

        _parameters = builder.Since(first);
    }

    /// <summary>Evaluates the block.</summary>
    /// <param name="x">The image's tokens [B,L,D].</param>
    /// <param name="text">The text's tokens [B,M,D].</param>
    /// <param name="embedded">SiLU of the embedding [B,D], float32.</param>
    /// <param name="positions">Turns query and key of all tokens, the text's first; null for none.</param>
    /// <returns>Both; the text's is null after the last block.</returns>
    public (Tensor Image, Tensor? Text) Forward(
        ForwardPass pass, Tensor x, Tensor text, Tensor embedded, RotaryPositions? positions = null)
    {
        var made = pass.Block(_parameters, (own, given) => Evaluate(own, given[0], given[1], given[2],
            given is [_, _, _, var cosines, var sines] ? new(cosines, sines) : null),
            [x, text, embedded, .. positions is null ? [] : new[] { positions.Cosines, positions.Sines }]);
        return (made[0], made.ElementAtOrDefault(1));
    }

    // The image and, but for the last block, the text.
    private Tensor[] Evaluate(ForwardPass pass, Tensor x, Tensor text, Tensor embedded, RotaryPositions? positions)
    {
        var m = Modulation.Forward(pass, embedded).chunk(OwnHeads is null ? 6 : 9, 1);
        var t = TextModulation.Forward(pass, embedded).chunk(TextProjection is null ? 2 : 6, 1);
        var normalised = Tokens.Normalised(x);
        var own = Heads.Forward(pass, Tokens.Scaled(normalised, m[0], m[1]));

        // The last block's two are scale and shift.
        var other = TextHeads.Forward(
            pass, TextProjection is null ? Tokens.Modulated(text, t[1], t[0]) : Tokens.Modulated(text, t[0], t[1]));
        Tensor query = cat([other.Query, own.Query], 2), key = cat([other.Key, own.Key], 2);
        if (positions is not null)
            (query, key) = (positions.Turn(query), positions.Turn(key));
        var attended = Tokens.Attend(pass, query, key, cat([other.Value, own.Value], 2));
        long words = text.shape[1];
        x = Tokens.Gated(x, m[2], Projection.Forward(pass, attended.narrow(1, words, x.shape[1])));
        if (OwnHeads is not null)
        {
            var (q, k, v) = OwnHeads.Forward(pass, Tokens.Scaled(normalised, m[6], m[7]));
            x = Tokens.Gated(x, m[8], OwnProjection!.Forward(pass, Tokens.Attend(pass, q, k, v)));
        }

        x = Tokens.Gated(x, m[5], FeedForward.Forward(pass, Tokens.Modulated(x, m[3], m[4])));
        if (TextProjection is null)
            return [x];
        text = Tokens.Gated(text, t[2], TextProjection.Forward(pass, attended.narrow(1, 0, words)));
        return [x, Tokens.Gated(text, t[5], TextFeedForward!.Forward(pass, Tokens.Modulated(text, t[3], t[4])))];
    }
}

/// <summary>Rotations of query and key by a token's place (Su et al. 2104.09864), in pairs of neighbouring channels.</summary>
/// <param name="Cosines">[L,d], float32, as are the sines: each twice, for both channels of a pair.</param>
internal sealed record RotaryPositions(Tensor Cosines, Tensor Sines)
{
    private const double Longest = 10000;

    /// <summary>Rotations of a text, whose places are all zero, and of an image's rows and columns after it.</summary>
    /// <param name="channels">Channels of a head for the index, the row and the column; even numbers.</param>
    public static RotaryPositions Of(IReadOnlyList<int> channels, long words, long height, long width, Device device)
    {
        Tensor Angles(Tensor places, int count)
        {
            var frequencies = pow(1 / Longest, Range(count / 2, device).Over(count / 2));
            return outer(places, frequencies).repeat_interleave(2, 1);
        }

        var none = zeros(words + (height * width), ScalarType.Float64, device);
        var text = zeros(words, ScalarType.Float64, device);
        var rows = cat([text, Range(height, device).repeat_interleave(width)]);
        var columns = cat([text, Range(width, device).repeat(height)]);
        var angles = cat([Angles(none, channels[0]), Angles(rows, channels[1]), Angles(columns, channels[2])], 1);
        return new(angles.cos().to(ScalarType.Float32), angles.sin().to(ScalarType.Float32));
    }

    /// <summary>The frequency of a pair among the channels of an axis.</summary>
    public static double Frequency(int pair, int channels) => Math.Pow(1 / Longest, (double)pair / (channels / 2));

    /// <summary>Numbers of a token's place: index, row and column.</summary>
    public const int Axes = 3;

    /// <summary>Index, row and column of an image's tokens, float32 [H W,3], as other programs tell them the network.</summary>
    public static Tensor Places(long height, long width)
    {
        var rows = Range(height, CPU).repeat_interleave(width);
        return stack([zeros_like(rows), rows, Range(width, CPU).repeat(height)], 1).to(ScalarType.Float32);
    }

    /// <summary>Turns heads [B,N,L,d].</summary>
    public Tensor Turn(Tensor heads)
    {
        var wide = heads.to(ScalarType.Float32);
        var pairs = wide.unflatten(3, [-1, 2]).unbind(-1);
        return (wide * Cosines).Plus(stack([-pairs[1], pairs[0]], -1).flatten(3) * Sines).to(heads.dtype);
    }

    private static Tensor Range(long count, Device device)
    {
        using var end = TensorArithmetic.Number(count);
        return arange(TensorArithmetic.Zero, end, TensorArithmetic.One, dtype: ScalarType.Float64, device: device);
    }
}
