using TorchSharp.Modules;

namespace FewStep.Networks;

/// <summary>What diffusion transformers compute on tokens [B,L,D].</summary>
internal static class Tokens
{
    /// <summary>Added to the variance by nearly every normalisation of a diffusion transformer.</summary>
    public const double Epsilon = 1e-6;

    /// <summary>Layer normalisation without weights, then scale and shift by the embedding (adaptive layer norm, Peebles and Xie 2022).
    /// </summary>
    /// <param name="shift">[B,D], like <paramref name="scale"/>.</param>
    public static Tensor Modulated(Tensor x, Tensor shift, Tensor scale, double epsilon = Epsilon)
        => Scaled(Normalised(x, epsilon), shift, scale);

    /// <summary>Layer normalisation without weights.</summary>
    public static Tensor Normalised(Tensor x, double epsilon = Epsilon) => nn.functional.layer_norm(x, [x.shape[^1]], null, null, epsilon);

    /// <summary>x (1 + scale) + shift.</summary>
    public static Tensor Scaled(Tensor x, Tensor shift, Tensor scale)
        => addcmul(Each(shift, x), x, Each(scale.Plus(1), x), TensorArithmetic.One);

    /// <summary>x + gate y.</summary>
    public static Tensor Gated(Tensor x, Tensor gate, Tensor y) => addcmul(x, Each(gate, x), y, TensorArithmetic.One);

    /// <summary>Tokens of the places of a feature map [B,C,H,W], row by row.</summary>
    public static Tensor OfMap(Tensor map) => map.permute(0, 2, 3, 1).flatten(1, 2);

    /// <summary>The feature map [B,D,H,W] of tokens, channels-last in memory.</summary>
    public static Tensor Map(Tensor x, long height, long width) => x.transpose(1, 2).unflatten(2, [height, width]);

    /// <summary>The image [B,C,H p,W p] of tokens whose numbers are row in the patch, column in the patch, channel.</summary>
    public static Tensor Image(Tensor x, long height, long width, long patch)
    {
        long batch = x.shape[0], channels = x.shape[2] / (patch * patch);
        return x.reshape(batch, height, width, patch, patch, channels).permute(0, 5, 1, 3, 2, 4)
            .reshape(batch, channels, height * patch, width * patch);
    }

    /// <summary>Scaled dot-product attention of heads [B,N,L,d] each → tokens [B,L,N d].</summary>
    public static Tensor Attend(ForwardPass pass, Tensor query, Tensor key, Tensor value)
    {
        var attended = pass.Counted(nn.functional.scaled_dot_product_attention(query, key, value), 2 * key.shape[2]);
        return attended.transpose(1, 2).flatten(2);
    }

    private static Tensor Each(Tensor embedding, Tensor x) => embedding.to(x.dtype).unsqueeze(1);
}

/// <summary>Makes tokens of square patches: a convolution <c>proj</c> [D,C,p,p] whose stride is its kernel.</summary>
internal sealed class PatchEmbedding
{
    public int Patch { get; }
    public int Weight { get; }
    public int Bias { get; }

    public PatchEmbedding(NetworkBuilder builder, int inChannels, int channels, int patch, WeightInit init)
    {
        Patch = patch;
        Weight = builder.Parameter("weight", init, channels, inChannels, patch, patch);
        Bias = builder.Parameter("bias", WeightInit.Zeros, channels);
    }

    /// <summary>x [B,C,H,W] → [B,H W / p^2,D].</summary>
    public Tensor Forward(ForwardPass pass, Tensor x)
    {
        var patches = Tokens.OfMap(nn.functional.pixel_unshuffle(x, Patch));
        return pass.Counted(nn.functional.linear(patches, pass[Weight].flatten(1), pass[Bias]), patches.shape[2]);
    }
}

/// <summary>Two linear layers with SiLU between them, for embeddings in float32: <c>linear_1</c> and <c>linear_2</c>.</summary>
internal sealed class EmbeddingLayers(NetworkBuilder builder, int inFeatures, int channels, WeightInit init)
{
    public Linear First { get; } = new(builder.At("linear_1"), inFeatures, channels, init);
    public Linear Second { get; } = new(builder.At("linear_2"), channels, channels, init);

    public Tensor Forward(ForwardPass pass, Tensor x) => Second.Forward(pass, nn.functional.silu(First.Forward(pass, x)));
}

/// <summary>Embeds a number such as the time: 256 cosines and sines, then <see cref="EmbeddingLayers"/>.</summary>
/// <param name="endpoint">Whether the lowest frequency is 1/10000 exactly.</param>
internal sealed class NumberEmbedding(NetworkBuilder builder, int channels, WeightInit init, bool endpoint = false)
{
    private const int Frequencies = 256;
    public PositionalEmbedding Waves { get; } = new(Frequencies, endpoint);
    public EmbeddingLayers Layers { get; } = new(builder, Frequencies, channels, init);

    /// <summary>[B] → [B,D], float32.</summary>
    public Tensor Forward(ForwardPass pass, Tensor numbers) => Layers.Forward(pass, Waves.Forward(numbers));
}

/// <summary>Layer with approximate GELU over four times the channels: <c>net.0.proj</c> and <c>net.2</c>.</summary>
internal sealed class TokenFeedForward(NetworkBuilder builder, int channels)
{
    public TokenLinear First { get; } = new(builder.At("net.0.proj").Adapted(LoraLayers.FeedForward), channels, 4 * channels);
    public TokenLinear Second { get; } = new(builder.At("net.2").Adapted(LoraLayers.FeedForward), 4 * channels, channels);

    public Tensor Forward(ForwardPass pass, Tensor x)
        => Second.Forward(pass, nn.functional.gelu(First.Forward(pass, x), GELU.Approximate.tanh));
}

/// <summary>Root-mean-square normalisation over the channels of a head: <c>weight</c> [d].</summary>
internal sealed class HeadNorm(NetworkBuilder builder, int channels)
{
    public int Weight { get; } = builder.Parameter("weight", WeightInit.Ones, channels);

    public Tensor Forward(ForwardPass pass, Tensor x)
    {
        var wide = x.to(ScalarType.Float32);
        var root = wide.Squared().mean([-1], keepdim: true).Plus(Tokens.Epsilon).rsqrt();
        return (wide * root).to(x.dtype) * pass[Weight];
    }
}

/// <summary>Query, key and value of attention, each a linear layer; query and key perhaps normalised by head.</summary>
internal sealed class HeadProjections
{
    public int Heads { get; }
    public TokenLinear Query { get; }
    public TokenLinear Key { get; }
    public TokenLinear Value { get; }
    public HeadNorm? QueryNorm { get; }
    public HeadNorm? KeyNorm { get; }

    /// <param name="added">Whether under the names of the second stream of joint attention.</param>
    public HeadProjections(
        NetworkBuilder builder, int channels, int heads, bool normalised = false, bool added = false, bool bias = true)
    {
        Heads = heads;
        TokenLinear Layer(string name)
            => new(builder.At(added ? $"add_{name}_proj" : $"to_{name}").Adapted(LoraLayers.Attention), channels, channels, bias);
        HeadNorm? Norm(string name) => normalised ? new(builder.At(added ? $"norm_added_{name}" : $"norm_{name}"), channels / heads) : null;
        (Query, Key, Value, QueryNorm, KeyNorm) = (Layer("q"), Layer("k"), Layer("v"), Norm("q"), Norm("k"));
    }

    /// <summary>x [B,L,D] → [B,N,L,D/N] each.</summary>
    public (Tensor Query, Tensor Key, Tensor Value) Forward(ForwardPass pass, Tensor x)
    {
        Tensor Each(TokenLinear layer) => layer.Forward(pass, x).unflatten(2, [Heads, -1]).transpose(1, 2);
        var (query, key) = (Each(Query), Each(Key));
        return (QueryNorm?.Forward(pass, query) ?? query, KeyNorm?.Forward(pass, key) ?? key, Each(Value));
    }
}
