namespace FewStep.Networks;

/// <summary>Layer normalisation over the last axis: parameters <c>weight</c> and <c>bias</c> [features].</summary>
internal sealed class LayerNorm
{
    private readonly long[] _shape;

    public LayerNorm(NetworkBuilder builder, int features, double epsilon = 1e-5)
    {
        _shape = [features];
        Epsilon = epsilon;
        Weight = builder.Parameter("weight", WeightInit.Ones, features);
        Bias = builder.Parameter("bias", WeightInit.Zeros, features);
    }

    public int Weight { get; }
    public int Bias { get; }
    public double Epsilon { get; }

    /// <summary>x [..., features] → the same shape.</summary>
    public Tensor Forward(ForwardPass pass, Tensor x) => nn.functional.layer_norm(x, _shape, pass[Weight], pass[Bias], Epsilon);
}
