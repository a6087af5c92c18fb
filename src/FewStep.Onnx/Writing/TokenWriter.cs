using FewStep.Networks;

namespace FewStep.Onnx.Writing;

/// <summary>Writes the modules of networks with attention over tokens [B,L,D].</summary>
internal abstract class TokenWriter(OnnxNodes nodes, ParameterLayout layout, Tensor weights, string prefix = "")
    : ModuleWriter(nodes, layout, weights, prefix)
{
    private const double RootOfHalf = 0.70710678118654752, RootOfTwoOverPi = 0.79788456080286536, Cubic = 0.044715;

    /// <summary>Tokens of the places of a feature map, row by row.</summary>
    protected string OfMap(Features map) => Nodes.Reshape(Nodes.Transpose(map.Name, 0, 2, 3, 1), 0, -1, map.Channels);

    /// <summary>The feature map of tokens, of the shape of another.</summary>
    protected Features Map(string tokens, Features like) => like with { Name = Shaped(Nodes.Transpose(tokens, 0, 2, 1), like) };

    protected string Projected(TokenLinear layer, string x) => Product(layer.Weight, layer.Bias, x);

    /// <summary>Layer normalisation over the channels, with weights or without.</summary>
    protected string Normalised(LayerNorm norm, string x) => Nodes.Op("LayerNormalization", [x, Weight(norm.Weight), Weight(norm.Bias)],
        OnnxNodes.Of("axis", -1), OnnxNodes.Of("epsilon", norm.Epsilon));

    /// <inheritdoc cref="Normalised(LayerNorm, string)"/>
    protected string Normalised(string x, int channels, double epsilon = Tokens.Epsilon) => Nodes.Op("LayerNormalization",
        [x, Nodes.Floats([.. Enumerable.Repeat(1.0, channels)], channels)], OnnxNodes.Of("axis", -1), OnnxNodes.Of("epsilon", epsilon));

    /// <summary>x / sqrt(mean of x^2 + epsilon), times a weight.</summary>
    protected string RootMeanSquare(string x, double epsilon, string weight)
    {
        string mean = Nodes.Op("ReduceMean", [Nodes.Times(x, x)], OnnxNodes.Of("axes", [-1]));
        return Nodes.Times(Nodes.Op("Div", [x, Nodes.Op("Sqrt", [Nodes.Plus(mean, Nodes.Number(epsilon))])]), weight);
    }

    /// <summary>Of an embedding [B,D]: what is the same for all tokens [B,1,D].</summary>
    protected string Each(string embedding) => Nodes.Op("Unsqueeze", [embedding, Nodes.Integers(1)]);

    /// <summary>x (1 + scale) + shift, each [B,D].</summary>
    protected string Scaled(string x, string shift, string scale)
        => Nodes.Plus(Nodes.Times(x, Each(Nodes.Plus(scale, Nodes.Number(1)))), Each(shift));

    /// <summary>x + gate y.</summary>
    protected string Gated(string x, string gate, string y) => Nodes.Plus(x, Nodes.Times(Each(gate), y));

    protected string[] Chunks(Linear modulation, string embedded, int parts) => Nodes.Split(Linear(modulation, embedded), parts, axis: 1);

    protected string Embedded(NumberEmbedding embedding, string numbers) => Embedded(embedding.Layers, Waves(embedding.Waves, numbers));

    /// <summary>[B,L,N d] to [B,N,L,d].</summary>
    protected string Heads(string x, long heads) => Nodes.Transpose(Nodes.Reshape(x, 0, 0, heads, -1), 0, 2, 1, 3);

    /// <summary>Attention of heads [B,N,L,d] each, to tokens [B,L,N d].</summary>
    /// <param name="scale">Factor of the products.</param>
    /// <param name="bias">Added to the scaled products; null for nothing.</param>
    protected string Attend(string query, string key, string value, double scale, string? bias = null)
    {
        string scores = Nodes.Op("MatMul", [Nodes.Times(query, scale), Nodes.Transpose(key, 0, 1, 3, 2)]);
        string shares = Nodes.Op("Softmax", [bias is null ? scores : Nodes.Plus(scores, bias)], OnnxNodes.Of("axis", -1));
        return Nodes.Reshape(Nodes.Transpose(Nodes.Op("MatMul", [shares, value]), 0, 2, 1, 3), 0, 0, -1);
    }

    /// <summary>Factor of the products of attention whose query is made by a layer.</summary>
    protected double ScaleOf(TokenLinear query, long heads) => Math.Sqrt((double)heads / Layout.Specs[query.Weight].Shape[0]);

    protected string Attended(CrossAttention attention, string x, string context)
    {
        string Part(TokenLinear layer, string of) => Heads(Projected(layer, of), attention.Heads);
        return Projected(attention.Output, Attend(Part(attention.Query, x), Part(attention.Key, context), Part(attention.Value, context),
            ScaleOf(attention.Query, attention.Heads)));
    }

    protected (string Query, string Key, string Value) Projected(HeadProjections heads, string x)
    {
        string Part(TokenLinear layer, HeadNorm? norm = null)
        {
            string part = Heads(Projected(layer, x), heads.Heads);
            return norm is null ? part : RootMeanSquare(part, Tokens.Epsilon, Weight(norm.Weight));
        }

        return (Part(heads.Query, heads.QueryNorm), Part(heads.Key, heads.KeyNorm), Part(heads.Value));
    }

    protected string FedForward(TokenFeedForward layers, string x)
        => Projected(layers.Second, ApproximateGelu(Projected(layers.First, x)));

    protected string Gelu(string x) => Nodes.Times(
        Nodes.Times(x, 0.5), Nodes.Plus(Nodes.Op("Erf", [Nodes.Times(x, RootOfHalf)]), Nodes.Number(1)));

    /// <summary>By tanh (Hendrycks and Gimpel 1606.08415).</summary>
    protected string ApproximateGelu(string x)
    {
        string inner = Nodes.Times(Nodes.Plus(x, Nodes.Times(Nodes.Times(Nodes.Times(x, x), x), Cubic)), RootOfTwoOverPi);
        return Nodes.Times(Nodes.Times(x, 0.5), Nodes.Plus(Nodes.Op("Tanh", [inner]), Nodes.Number(1)));
    }

    /// <summary>Tokens of the patches of an image [B,C,H,W].</summary>
    protected string Patches(PatchEmbedding patches, string image, long channels)
    {
        string map = Nodes.Op("Conv", [image, Weight(patches.Weight), Weight(patches.Bias)],
            OnnxNodes.Of("kernel_shape", [patches.Patch, patches.Patch]), OnnxNodes.Of("strides", [patches.Patch, patches.Patch]));
        return OfMap(new Features(map, channels));
    }

    /// <summary>x W^T + b.</summary>
    protected string Product(int weight, int? bias, string x)
    {
        string product = Nodes.Op("MatMul", [x, Nodes.Weight(Name(weight), () => Weights[weight].flatten(1).t())]);
        return bias is int shift ? Nodes.Plus(product, Weight(shift)) : product;
    }
}
