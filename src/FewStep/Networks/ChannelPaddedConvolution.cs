using TorchSharp;

namespace FewStep.Networks;

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
