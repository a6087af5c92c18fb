using FewStep.Denoising;

namespace FewStep.Tests.Search;

/// <summary>The exact denoiser of independent Gaussian channels, each of its own standard deviation.</summary>
internal sealed class DiagonalGaussianDenoiser(params double[] stds) : IDenoiser
{
    public ImageShape Shape { get; } = new(stds.Length, 3, 3);

    public int Classes => 0;

    public double SigmaMin => 0.002;

    public double SigmaMax => 80;

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
    {
        double s = sigma[0].item<float>();
        float[] shares = [.. stds.Select(c => (float)(c * c / ((c * c) + (s * s))))];
        return x * tensor(shares).view(1, -1, 1, 1);
    }
}
