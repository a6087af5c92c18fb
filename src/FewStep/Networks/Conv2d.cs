using TorchSharp;

namespace FewStep.Networks;

/// <summary>Convolution with optional factor-2 resampling, NVlabs/edm's <c>Conv2d</c>: <c>weight</c> [out, in, k, k] and <c>bias</c> [out]
/// unless the kernel is 0.</summary>
internal sealed class Conv2d : IUNetLayer
{
    /// <param name="filter">Resampling filter taps; default [1,1].</param>
    public Conv2d(
        NetworkBuilder builder, int inChannels, int outChannels, int kernel, WeightInit? init, bool up = false, bool down = false,
        IReadOnlyList<int>? filter = null, bool fusedResample = false)
    {
        OutChannels = outChannels;
        Kernel = kernel;
        IsFused = fusedResample && kernel > 0;
        if (kernel > 0)
        {
            Weight = builder.Parameter("weight", init!, outChannels, inChannels, kernel, kernel);
            Bias = builder.Parameter("bias", WeightInit.Zeros, outChannels);
        }

        var resampling = up || down ? new Resampling(builder, filter ?? [1, 1]) : null;
        Up = up ? resampling : null;
        Down = down ? resampling : null;
    }

    public int OutChannels { get; }

    /// <summary>Side of the kernel; 0 for resampling alone.</summary>
    public int Kernel { get; }

    public int? Weight { get; }
    public int? Bias { get; }
    public Resampling? Up { get; }
    public Resampling? Down { get; }

    /// <summary>Whether the resampling filter and the convolution share one padding.</summary>
    public bool IsFused { get; }

    Tensor IUNetLayer.Forward(ForwardPass pass, Tensor x, UNetState state) => Forward(pass, x);

    public Tensor Forward(ForwardPass pass, Tensor x)
    {
        int pad = Kernel / 2;
        if (IsFused && Up is not null)
        {
            x = Up.Up(x, Math.Max(Up.Padding - pad, 0));
            return Convolve(pass, x, Math.Max(pad - Up.Padding, 0));
        }

        if (IsFused && Down is not null)
        {
            // The bias commutes with the filter, whose taps sum to one.
            return Down.Down(Convolve(pass, x, pad + Down.Padding), 0);
        }

        if (Kernel == 1 && Up is { IsBox: true })
            return Up.Up(Convolve(pass, x, 0), 0); // repeating pixels commutes with what treats each alone

        x = Up is null ? x : Up.Up(x, Up.Padding);
        x = Down is null ? x : Down.Down(x, Down.Padding);
        return Weight is null ? x : Convolve(pass, x, pad);
    }

    private Tensor Convolve(ForwardPass pass, Tensor x, int padding)
        => pass.Convolved(x, Weight!.Value, Bias!.Value, padding: padding);
}

/// <summary>A 3x3 convolution of stride 2: <c>weight</c> [C,C,3,3] and <c>bias</c> [C].</summary>
internal sealed class StridedConv2d : IUNetLayer
{
    public StridedConv2d(NetworkBuilder builder, int channels, WeightInit init, bool symmetricPadding)
    {
        Weight = builder.Parameter("weight", init, channels, channels, 3, 3);
        Bias = builder.Parameter("bias", WeightInit.Zeros, channels);
        IsSymmetric = symmetricPadding;
    }

    public int Weight { get; }
    public int Bias { get; }

    /// <summary>Whether a pixel is padded on all sides, instead of on the right and below only.</summary>
    public bool IsSymmetric { get; }

    Tensor IUNetLayer.Forward(ForwardPass pass, Tensor x, UNetState state) => Forward(pass, x);

    public Tensor Forward(ForwardPass pass, Tensor x)
    {
        int padding = IsSymmetric ? 1 : 0;
        x = IsSymmetric ? x : nn.functional.pad(x, [0, 1, 0, 1]);
        return pass.Convolved(x, Weight, Bias, stride: 2, padding);
    }
}

/// <summary>libtorch's convolution, without what it makes of numbers of channels that its kernels round up.</summary>
internal static class ChannelPaddedConvolution
{
    private const long Block = 16;

    /// <summary>The convolution of x with a weight.</summary>
    /// <remarks>
    /// oneDNN computes in blocks of up to 16 channels. libtorch leaves the rest of a block that is not full as it finds it in memory,
    /// multiplied by zeros: where that happens to be not-a-number or infinite, so are results and, more often, gradients. On the processor
    /// the blocks are therefore filled here.
    /// </remarks>
    /// <param name="x">[B,in,H,W].</param>
    /// <returns>[B,out,H',W']; belongs to the current dispose scope.</returns>
    public static Tensor Apply(Tensor x, Tensor weight, Tensor? bias, long stride = 1, long padding = 0)
    {
        if (padding == 0 && PointwiseConvolution.Suits(x, weight, stride))
            return PointwiseConvolution.Apply(x, weight, bias);
        long output = weight.shape[0], moreOutput = Missing(output), moreInput = Missing(weight.shape[1]);
        if (x.device_type != DeviceType.CPU || (moreOutput == 0 && moreInput == 0))
            return nn.functional.conv2d(x, weight, bias, [stride, stride], [padding, padding]);
        x = moreInput == 0 ? x : nn.functional.pad(x, [0, 0, 0, 0, 0, moreInput]);
        weight = nn.functional.pad(weight, [0, 0, 0, 0, 0, moreInput, 0, moreOutput]);
        bias = bias is null ? null : nn.functional.pad(bias, [0, moreOutput]);
        return nn.functional.conv2d(x, weight, bias, [stride, stride], [padding, padding]).narrow(1, 0, output);
    }

    private static long Missing(long channels) => (Block - (channels % Block)) % Block;
}

/// <summary>A convolution with a 1x1 kernel as a product of matrices.</summary>
/// <remarks>
/// On some processors with AVX-512 oneDNN's own kernels compute 80 float32 channels wrongly on more than one thread (libtorch 2.10; seen
/// with 64 to 256 input channels, images of 4x4 to 73x73 and batches from 1 to 16; Inception-v3 has such a layer). Matrix products are
/// right, and no slower.
/// </remarks>
internal static class PointwiseConvolution
{
    /// <summary>Whether a convolution is one of these, on the processor in float32.</summary>
    /// <param name="x">[B,in,H,W].</param>
    public static bool Suits(Tensor x, Tensor weight, long stride)
        => x.device_type == DeviceType.CPU && x.dtype == ScalarType.Float32 && stride == 1 && weight.shape[2] == 1 && weight.shape[3] == 1;

    /// <summary>The convolution of x with a weight, without padding.</summary>
    /// <param name="x">[B,in,H,W].</param>
    /// <returns>[B,out,H,W], channels-last in memory; belongs to the current dispose scope.</returns>
    public static Tensor Apply(Tensor x, Tensor weight, Tensor? bias)
    {
        long[] size = x.shape;
        var pixels = x.permute(0, 2, 3, 1).reshape(-1, size[1]);
        return nn.functional.linear(pixels, weight.flatten(1), bias).view(size[0], size[2], size[3], -1).permute(0, 3, 1, 2);
    }
}
