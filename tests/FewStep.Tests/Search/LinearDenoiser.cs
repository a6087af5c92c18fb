using FewStep.Denoising;

namespace FewStep.Tests.Search;

/// <summary>The exact denoiser of N(0, c^2 I) in one tensor operation, for tests that call it thousands of times.</summary>
internal sealed class LinearDenoiser(ImageShape shape, double c) : IDenoiser
{
    public ImageShape Shape => shape;

    public int Classes => 0;

    public double SigmaMin => 0.002;

    public double SigmaMax => 80;

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
    {
        double s = sigma[0].item<float>();
        return x * (c * c / ((c * c) + (s * s)));
    }
}
