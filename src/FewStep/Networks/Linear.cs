namespace FewStep.Networks;

/// <summary>Fully connected layer, NVlabs/edm's <c>Linear</c>: parameters <c>weight</c> [out, in] and <c>bias</c> [out].</summary>
internal sealed class Linear
{
    private readonly int _weight;
    private readonly int? _bias;

    public Linear(NetworkBuilder builder, int inFeatures, int outFeatures, WeightInit init, bool bias = true)
    {
        InFeatures = inFeatures;
        _weight = builder.Parameter("weight", init, outFeatures, inFeatures);
        _bias = bias ? builder.Parameter("bias", WeightInit.Zeros, outFeatures) : null;
    }

    public int InFeatures { get; }

    /// <summary>x [B, in] float32 → [B, out] float32: embeddings keep full precision whatever the convolutions compute in.</summary>
    public Tensor Forward(ForwardPass pass, Tensor x)
        => pass.Counted(nn.functional.linear(x, pass.Master[_weight], _bias is int b ? pass.Master[b] : null), InFeatures);
}
