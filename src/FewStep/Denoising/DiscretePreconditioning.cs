using static TorchSharp.torch;

namespace FewStep.Denoising;

/// <summary>Preconditioning of networks trained on N discrete variance-preserving noise levels (Ho et al. 2006.11239), as predictors of noise, of velocity (Salimans and Ho 2202.00512) or of the image.</summary>
/// <remarks>The network only knows its own levels: a sigma between two of them is given the time step of the nearer one.</remarks>
public sealed class DiscretePreconditioning : IPreconditioning
{
    private readonly double[] _levels;

    /// <summary>Creates the preconditioning.</summary>
    /// <param name="betas">The variances beta of the steps.</param>
    /// <param name="prediction">What the network predicts; default the noise.</param>
    public DiscretePreconditioning(DiscreteBetas betas, NetworkPrediction prediction = NetworkPrediction.Epsilon)
    {
        ArgumentNullException.ThrowIfNull(betas);
        (Betas, Prediction) = (betas, prediction);
        _levels = betas.NoiseLevels();
        SigmaLimits.Check("Discrete", SigmaMin, SigmaMax);
    }

    /// <summary>The variances of the steps.</summary>
    public DiscreteBetas Betas { get; }

    /// <summary>What the network predicts.</summary>
    public NetworkPrediction Prediction { get; }

    /// <summary>The noise levels that the network was trained on, increasing; the index is the time step.</summary>
    public IReadOnlyList<double> NoiseLevels => _levels;

    /// <inheritdoc/>
    public double SigmaMin => _levels[0];

    /// <inheritdoc/>
    public double SigmaMax => _levels[^1];

    /// <inheritdoc/>
    public PreconditioningCoefficients Coefficients(Tensor sigma)
    {
        var levels = tensor(_levels, dtype: ScalarType.Float64, device: sigma.device);
        var step = (sigma.to(ScalarType.Float64).unsqueeze(1) - levels).abs_().argmin(1).to(sigma.dtype);
        var alpha = (sigma * sigma + 1).rsqrt();
        return Prediction switch
        {
            NetworkPrediction.Epsilon => new(ones_like(sigma), -sigma, alpha, step),

            // With x' = alpha x: x0 = alpha x' - alpha sigma v.
            NetworkPrediction.Velocity => new(alpha * alpha, -alpha * sigma, alpha, step),
            _ => new(zeros_like(sigma), ones_like(sigma), alpha, step),
        };
    }
}

/// <summary>What a network predicts.</summary>
public enum NetworkPrediction
{
    /// <summary>The unit noise.</summary>
    Epsilon,

    /// <summary>v = alpha n - alpha sigma x0, of unit variance for unit data.</summary>
    Velocity,

    /// <summary>The image.</summary>
    Sample,
}
