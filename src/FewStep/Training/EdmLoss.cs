using FewStep.Networks;
using static TorchSharp.torch;

namespace FewStep.Training;

/// <summary>EDM's training loss (2206.00364, table 1): log-normal sigma, weight (s^2 + s_data^2) / (s s_data)^2.</summary>
/// <param name="MeanLogSigma">Mean of ln sigma, EDM's P_mean; default -1.2.</param>
/// <param name="StandardDeviationLogSigma">Standard deviation of ln sigma, EDM's P_std; default 1.2.</param>
/// <param name="SigmaData">Standard deviation of the data; default 0.5.</param>
public sealed record EdmLoss(double MeanLogSigma = -1.2, double StandardDeviationLogSigma = 1.2, double SigmaData = 0.5)
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
        long batch = images.shape[0];
        var sigma = (randn([batch], generator: generator) * StandardDeviationLogSigma + MeanLogSigma).exp();
        var noise = randn(images.shape, generator: generator);
        double sd2 = SigmaData * SigmaData;
        var weight = (sigma * sigma + sd2) / (sigma * sigma * sd2);
        var noised = images + noise * sigma.view(-1, 1, 1, 1);
        var error = denoiser.Denoise(weights, noised, sigma, labels, generator) - images;
        return (error.square().mean([1, 2, 3]) * weight).mean();
    }
}
