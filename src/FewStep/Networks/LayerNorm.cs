namespace FewStep.Networks;

/// <summary>Normalisation of each token over its features: <c>weight</c> and <c>bias</c> [features].</summary>
internal sealed class LayerNorm
{
    private readonly long[] _features;

    public LayerNorm(NetworkBuilder builder, int features, double epsilon = 1e-5)
    {
        _features = [features];
        Epsilon = epsilon;
        Weight = builder.Parameter("weight", WeightInit.Ones, features);
        Bias = builder.Parameter("bias", WeightInit.Zeros, features);
    }

    public int Weight { get; }
    public int Bias { get; }
    public double Epsilon { get; }

    /// <summary>x [..., features] → the same shape.</summary>
    public Tensor Forward(ForwardPass pass, Tensor x) => nn.functional.layer_norm(x, _features, pass[Weight], pass[Bias], Epsilon);
}
