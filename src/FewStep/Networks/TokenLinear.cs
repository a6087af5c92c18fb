namespace FewStep.Networks;

/// <summary>A linear layer over tokens, in the compute type: <c>weight</c> [out, in], or [out, in, 1, 1] where the code base that it comes
/// from has a convolution of one pixel there, and perhaps <c>bias</c> [out].</summary>
internal sealed class TokenLinear
{
    /// <param name="init">How the weight begins; null for Xavier's uniform distribution.</param>
    public TokenLinear(
        NetworkBuilder builder, int inFeatures, int outFeatures, bool bias = true, bool convolution = false, WeightInit? init = null)
    {
        long[] shape = convolution ? [outFeatures, inFeatures, 1, 1] : [outFeatures, inFeatures];
        Weight = builder.Parameter("weight", init ?? new WeightInit(WeightInitMode.XavierUniform), shape);
        Bias = bias ? builder.Parameter("bias", WeightInit.Zeros, outFeatures) : null;
    }

    public int Weight { get; }
    public int? Bias { get; }

    /// <summary>x [..., in] → [..., out].</summary>
    public Tensor Forward(ForwardPass pass, Tensor x)
        => pass.Projected(x, Weight, Bias);
}
