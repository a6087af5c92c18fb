using System.Text.Json.Serialization;
using FewStep.Networks;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>A denoising training loss: E of weight(s) |D(x0 + s n; s) - x0|^2 / dimension. Members differ in how sigma is drawn and weighted.</summary>
[JsonDerivedType(typeof(EdmLoss), "edm")]
[JsonDerivedType(typeof(VpLoss), "vp")]
[JsonDerivedType(typeof(VeLoss), "ve")]
public abstract record TrainingLoss
{
    /// <summary>The weighted denoising loss of one batch.</summary>
    /// <param name="denoiser">The model.</param>
    /// <param name="weights">Its flat weights; gradients flow into them.</param>
    /// <param name="images">Clean images [B,C,H,W], float32.</param>
    /// <param name="labels">int64 [B] or null.</param>
    /// <param name="generator">Source of sigma, noise and dropout.</param>
    /// <returns>Scalar float32; it belongs to the current dispose scope.</returns>
    public Tensor Compute(NetworkDenoiser denoiser, Tensor weights, Tensor images, Tensor? labels, Generator generator)
    {
        // Drawn on the processor, so that every device is given the same; it is ahead of a GPU anyway.
        var sigma = HostCopy.To(DrawSigma(images.shape[0], generator), images.device);
        var noise = HostCopy.To(randn(images.shape, generator: generator), images.device);
        var weight = Weight(sigma);
        var noised = images.Plus(noise * sigma.view(-1, 1, 1, 1));
        var error = denoiser.Denoise(weights, noised, sigma, labels, generator) - images;
        return (error.Squared().mean([1, 2, 3]) * weight).mean();
    }

    /// <summary>Draws the noise levels of a batch.</summary>
    /// <param name="batch">B.</param>
    /// <param name="generator">Source of randomness.</param>
    /// <returns>Tensor [B], float32, above 0, on the processor; it belongs to the current dispose scope.</returns>
    public abstract Tensor DrawSigma(long batch, Generator generator);

    /// <summary>Weights of noise levels.</summary>
    /// <param name="sigma">Tensor [B], float32.</param>
    /// <returns>Tensor [B]; it belongs to the current dispose scope.</returns>
    public abstract Tensor Weight(Tensor sigma);
}
