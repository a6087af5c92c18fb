using TorchSharp;

namespace FewStep.Networks;

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
