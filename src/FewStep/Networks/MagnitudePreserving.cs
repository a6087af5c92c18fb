namespace FewStep.Networks;

/// <summary>Operations that keep the magnitude of random features (Karras et al. 2312.02696, appendix B).</summary>
internal static class MagnitudePreserving
{
    public const double Epsilon = 1e-4;
    public const double SiluGain = 1 / 0.596;

    public static Tensor Silu(Tensor x) => nn.functional.silu(x).Times(SiluGain);

    /// <summary>(1 - t) a + t b, at the magnitude of each.</summary>
    public static Tensor Sum(Tensor a, Tensor b, double t)
    {
        double norm = Math.Sqrt(((1 - t) * (1 - t)) + (t * t));
        return a.Times((1 - t) / norm).Plus(b, t / norm);
    }

    /// <summary>Channels of a and b together, b with the share t of the magnitude whatever its number.</summary>
    public static Tensor Joined(Tensor a, Tensor b, double t)
    {
        double total = Math.Sqrt((a.shape[1] + b.shape[1]) / (((1 - t) * (1 - t)) + (t * t)));
        return cat([a.Times(total / Math.Sqrt(a.shape[1]) * (1 - t)), b.Times(total / Math.Sqrt(b.shape[1]) * t)], 1);
    }

    /// <summary>x divided by its root mean square over an axis.</summary>
    public static Tensor Normalised(Tensor x, int axis)
    {
        var norm = x.to(ScalarType.Float32).norm(axis, keepdim: true).Over(Math.Sqrt(x.shape[axis])).Plus(Epsilon);
        return x / norm.to(x.dtype);
    }
}

/// <summary>A convolution or linear layer whose weight is normalised where it is used: <c>weight</c> [out,in,k,k], or [out,in] for kernel
/// 0.</summary>
internal sealed class MagnitudePreservingConv
{
    public int Weight { get; }
    public int Kernel { get; }
    public long FanIn { get; }

    public MagnitudePreservingConv(NetworkBuilder builder, int inChannels, int outChannels, int kernel)
    {
        var init = new WeightInit(WeightInitMode.KaimingNormal);
        Kernel = kernel;
        FanIn = (long)inChannels * Math.Max(kernel * kernel, 1);
        Weight = kernel == 0 ? builder.Parameter("weight", init, outChannels, inChannels)
            : builder.Parameter("weight", init, outChannels, inChannels, kernel, kernel);
    }

    /// <summary>x [B,in,H,W] in the compute type, or embeddings [B,in] in float32 → the same with other channels.</summary>
    /// <param name="gain">A learnt factor [], float32; null for 1.</param>
    public Tensor Forward(ForwardPass pass, Tensor x, Tensor? gain = null)
    {
        var master = pass.Master[Weight];
        var weight = MagnitudePreserving.Normalised(master.flatten(1), 1).view(master.shape).Over(Math.Sqrt(FanIn));
        weight = (gain is null ? weight : weight * gain).to(x.dtype);
        return pass.Counted(Kernel == 0 ? nn.functional.linear(x, weight)
            : ChannelPaddedConvolution.Apply(x, weight, null, padding: Kernel / 2), FanIn);
    }
}
