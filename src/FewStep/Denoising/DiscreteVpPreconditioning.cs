using FewStep.Noise;
using static TorchSharp.torch;

namespace FewStep.Denoising;

/// <summary>
/// Preconditioning of networks that were trained on the whole times of a <see cref="DiscreteVpNoise"/> and see x_t = x / sqrt(1 + sigma^2); the noise label is the time t.
/// </summary>
/// <remarks>c_in, c_skip and c_out follow sigma exactly; only the time that the network is told is rounded, where it knows no times in between.</remarks>
public sealed class DiscreteVpPreconditioning : IPreconditioning
{
    private readonly DiscreteVpNoise _noise;
    private readonly NetworkPrediction _prediction;
    private readonly bool _wholeTimes;

    /// <summary>Creates the preconditioning.</summary>
    /// <param name="noise">The levels that the network was trained on.</param>
    /// <param name="prediction">What it predicts; default the noise.</param>
    /// <param name="wholeTimes">Whether it is told the nearest whole time (default), or one in between.</param>
    /// <exception cref="Runtime.InvalidInputException">The levels leave what float32 computes with.</exception>
    public DiscreteVpPreconditioning(DiscreteVpNoise noise, NetworkPrediction prediction = NetworkPrediction.Epsilon, bool wholeTimes = true)
    {
        (_noise, _prediction, _wholeTimes) = (noise, prediction, wholeTimes);
        SigmaLimits.Check(noise.Name, SigmaMin, SigmaMax);
    }

    /// <inheritdoc/>
    public double SigmaMin => _noise.Sigmas[0];

    /// <inheritdoc/>
    public double SigmaMax => _noise.Sigmas[^1];

    /// <inheritdoc/>
    public PreconditioningCoefficients Coefficients(Tensor sigma)
    {
        double[] levels = sigma.to(ScalarType.Float64).cpu().data<double>().ToArray();
        var time = tensor([.. levels.Select(s => _wholeTimes ? _noise.NearestTime(s) : _noise.TimeBetween(s))], sigma.dtype, sigma.device);
        var total = sigma * sigma + 1;
        var alpha = total.rsqrt();
        return _prediction switch
        {
            NetworkPrediction.Epsilon => new(ones_like(sigma), -sigma, alpha, time),
            NetworkPrediction.V => new(1 / total, -sigma * alpha, alpha, time), // x0 = alpha x_t - s v
            _ => new(zeros_like(sigma), ones_like(sigma), alpha, time),
        };
    }
}
