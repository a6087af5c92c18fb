namespace FewStep.Networks;

/// <summary>Fully connected layer, NVlabs/edm's <c>Linear</c>: parameters <c>weight</c> [out, in] and <c>bias</c> [out].</summary>
internal sealed class Linear
{
    public Linear(NetworkBuilder builder, int inFeatures, int outFeatures, WeightInit init, bool bias = true)
    {
        InFeatures = inFeatures;
        Weight = builder.Parameter("weight", init, outFeatures, inFeatures);
        Bias = bias ? builder.Parameter("bias", WeightInit.Zeros, outFeatures) : null;
    }

    public int InFeatures { get; }
    public int Weight { get; }
    public int? Bias { get; }

    /// <summary>x [B, in] float32 → [B, out] float32: embeddings keep full precision whatever the convolutions compute in.</summary>
    public Tensor Forward(ForwardPass pass, Tensor x)
        => pass.Embedded(x, Weight, Bias);
}
