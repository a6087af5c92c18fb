using FewStep.Denoising;
using FewStep.Networks;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>A network as a denoiser with weights other than its own, differentiable in them; dropout is off.</summary>
/// <param name="model">The network; not disposed.</param>
internal sealed class WeightsDenoiser(NetworkDenoiser model) : IDenoiser
{
    /// <summary>Flat weights of the next evaluations; not owned.</summary>
    public Tensor? Weights { get; set; }

    public ImageShape Shape => model.Shape;

    public int Classes => model.Classes;

    public Device Device => model.Device;

    public double SigmaMin => model.SigmaMin;

    public double SigmaMax => model.SigmaMax;

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
        => model.Denoise(Weights ?? throw new InvalidOperationException("No weights were given."), x, sigma, labels);
}
