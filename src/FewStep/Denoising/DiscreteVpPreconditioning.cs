namespace FewStep.Denoising;

/// <summary>
/// Preconditioning of networks that were trained on the whole times of a <see cref="DiscreteVpNoise"/> (Ho et al. 2006.11239) and see x_t =
/// x / sqrt(1 + sigma^2); the noise label is the time t.
/// </summary>
/// <remarks>c_in, c_skip and c_out follow sigma exactly; only the time that the network is told is rounded, where it knows no times in
/// between.</remarks>
internal sealed class DiscreteVpPreconditioning : IPreconditioning
{
    /// <summary>sigma_data of the boundary scalings.</summary>
    public const double BoundarySigmaData = 0.5;

    /// <param name="timeScale">Factor of the time in the noise label: 1000 / M for networks that were told rescaled times.</param>
    public DiscreteVpPreconditioning(DiscreteVpNoise noise, NetworkPrediction prediction = NetworkPrediction.Epsilon,
        TimeRounding rounding = TimeRounding.NearestSigma, double timeScale = 1)
    {
        ArgumentNullException.ThrowIfNull(noise);
        if (!(timeScale is > 0 and <= SigmaLimits.Largest))
        {
            throw new InvalidInputException(
                $"Discrete preconditioning needs a time_scale above 0 and at most {SigmaLimits.Largest}, not {timeScale}.");
        }

        (Noise, Prediction, Rounding, TimeScale) = (noise, prediction, rounding, timeScale);
        SigmaLimits.Check(noise.Name, SigmaMin, SigmaMax);
    }

    public DiscreteVpNoise Noise { get; }
    public NetworkPrediction Prediction { get; }
    public TimeRounding Rounding { get; }

    /// <summary>Factor of the time in the noise label.</summary>
    public double TimeScale { get; }

    /// <summary>
    /// Of a latent consistency model (Luo et al. 2310.04378, section 4.1): factor s of the time in its boundary scalings. What it estimates
    /// is c_out x0 + c_skip x_t, where c_skip = d^2 / ((s t)^2 + d^2), c_out = s t / sqrt((s t)^2 + d^2) and d = 0.5: at time 0 nothing is
    /// changed. Null (default) for other networks.
    /// </summary>
    public double? BoundaryScale { get; init; }

    public double SigmaMin => Noise.Sigmas[0];
    public double SigmaMax => Noise.Sigmas[^1];

    public PreconditioningCoefficients Coefficients(Tensor sigma)
    {
        var exact = Noise.Times(sigma.to(ScalarType.Float64), Rounding);
        var time = exact.Times(TimeScale).to(sigma.dtype);
        var total = (sigma * sigma).Plus(1);
        var alpha = total.rsqrt();
        PreconditioningCoefficients inner = Prediction switch
        {
            NetworkPrediction.Epsilon => new(ones_like(sigma), -sigma, alpha, time),
            NetworkPrediction.V => new(total.reciprocal(), -sigma * alpha, alpha, time), // x0 = alpha x_t - s v
            _ => new(zeros_like(sigma), ones_like(sigma), alpha, time),
        };
        if (BoundaryScale is not { } scale)
            return inner;
        var scaled = exact.to(ScalarType.Float64).Times(scale);
        var square = scaled.Squared().Plus(BoundarySigmaData * BoundarySigmaData);
        Tensor own = (scaled * square.rsqrt()).to(sigma.dtype), kept = square.reciprocal()
            .Times(BoundarySigmaData * BoundarySigmaData).to(sigma.dtype);
        return inner with { Skip = (own * inner.Skip).Plus(kept * alpha), Out = own * inner.Out };
    }
}

/// <summary>What a network on a variance-preserving model's own scale gives for x_t = alpha x0 + s n.</summary>
public enum NetworkPrediction
{
    /// <summary>The noise n.</summary>
    Epsilon,

    /// <summary>v = alpha n - s x0, of unit variance for unit data (Salimans and Ho 2202.00512).</summary>
    V,

    /// <summary>The image x0.</summary>
    Sample,
}
