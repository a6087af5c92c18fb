using FewStep.Denoising;

namespace FewStep.Tests.Denoising;

/// <summary>Calls another denoiser twice, as guidance does, and counts both.</summary>
internal sealed class TwiceDenoiser(IDenoiser inner) : IEvaluationCount
{
    public ImageShape Shape => inner.Shape;
    public int Classes => inner.Classes;
    public double SigmaMin => inner.SigmaMin;
    public double SigmaMax => inner.SigmaMax;

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels) => Denoise(x, sigma, labels, out _);

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels, out long cost)
    {
        using var scope = NewDisposeScope();
        cost = 2 * x.shape[0];
        return ((inner.Denoise(x, sigma, labels) + inner.Denoise(x, sigma, null)) / 2).MoveToOuterDisposeScope();
    }
}
