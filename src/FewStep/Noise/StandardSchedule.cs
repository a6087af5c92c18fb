using FewStep.Runtime;

namespace FewStep.Noise;

/// <summary>A standard sampling schedule: N steps of equal length in some coordinate u(sigma), from sigma_max to sigma_min.</summary>
/// <remarks>Karras et al., log-SNR, and the uniform times of a noise schedule differ in nothing but u.</remarks>
public sealed class StandardSchedule
{
    /// <summary>Most steps that a standard schedule offers.</summary>
    public const int MaximumSteps = 100_000;

    private readonly Func<double, double> _coordinate;
    private readonly Func<double, double> _sigma;

    private StandardSchedule(string name, Func<double, double> coordinate, Func<double, double> sigma) => (Name, _coordinate, _sigma) = (name, coordinate, sigma);

    /// <summary>Name, with its parameter where that is not the default, e.g. <c>karras:5</c>.</summary>
    public string Name { get; }

    /// <summary>Equal steps in sigma^(1/rho) (Karras et al. 2022, equation 5).</summary>
    /// <param name="rho">0.1 to 1000; default 7. 1 is uniform in sigma; large values approach <see cref="LogSnr"/>.</param>
    /// <exception cref="InvalidInputException">rho is out of range.</exception>
    public static StandardSchedule Karras(double rho = 7)
    {
        if (!(rho >= 0.1) || !(rho <= 1000))
        {
            throw new InvalidInputException(FormattableString.Invariant($"rho of the schedule 'karras' is {rho:R}; it must be 0.1 to 1000 (7 is usual)."));
        }

        string name = rho == 7 ? "karras" : FormattableString.Invariant($"karras:{rho:R}");
        return new StandardSchedule(name, s => Math.Pow(s, 1 / rho), u => Math.Pow(u, rho));
    }

    /// <summary>Equal steps in ln sigma, which is half the negative logarithm of the signal-to-noise ratio (Lu et al. 2022, DPM-Solver).</summary>
    public static StandardSchedule LogSnr() => new("log-snr", Math.Log, Math.Exp);

    /// <summary>Equal steps in the time of a noise schedule.</summary>
    /// <param name="name">Name of the schedule.</param>
    /// <param name="noise">Whose time.</param>
    public static StandardSchedule UniformTime(string name, NoiseSchedule noise) => new(name, noise.Time, noise.Sigma);

    /// <summary>Equal steps in the square root of the time of a noise schedule: more steps at low noise (Song et al. 2021, DDIM, "quadratic").</summary>
    /// <param name="name">Name of the schedule.</param>
    /// <param name="noise">Whose time.</param>
    public static StandardSchedule QuadraticTime(string name, NoiseSchedule noise) => new(name, s => Math.Sqrt(noise.Time(s)), u => noise.Sigma(u * u));

    /// <summary>The schedule of N steps; its first sigma is exactly <paramref name="sigmaMax"/>, its last exactly <paramref name="sigmaMin"/>.</summary>
    /// <param name="steps">N, 1 to <see cref="MaximumSteps"/>.</param>
    /// <param name="sigmaMin">Last noise level, above 0.</param>
    /// <param name="sigmaMax">First noise level, above <paramref name="sigmaMin"/>.</param>
    /// <param name="terminal">What happens at the last sigma; default <see cref="ScheduleTerminal.SigmaMin"/>.</param>
    /// <exception cref="InvalidInputException">A value is out of range, or the sigmas lie too close together to differ.</exception>
    public SamplingSchedule Create(int steps, double sigmaMin, double sigmaMax, ScheduleTerminal terminal = ScheduleTerminal.SigmaMin)
    {
        if (steps is < 1 or > MaximumSteps)
        {
            throw new InvalidInputException($"A schedule of {steps} steps is impossible: the number of steps must be 1 to {MaximumSteps}.");
        }

        if (!(sigmaMin > 0) || !(sigmaMax > sigmaMin) || !double.IsFinite(sigmaMax))
        {
            throw new InvalidInputException(FormattableString.Invariant($"Noise levels must be finite with 0 < sigma_min < sigma_max; they are sigma_min {sigmaMin:R}, sigma_max {sigmaMax:R}."));
        }

        double first = _coordinate(sigmaMax), last = _coordinate(sigmaMin);
        var sigmas = new double[steps + 1];
        for (int i = 1; i < steps; i++)
        {
            sigmas[i] = _sigma(first + (last - first) * i / steps);
        }

        (sigmas[0], sigmas[steps]) = (sigmaMax, sigmaMin); // not through the coordinate, whose rounding would move them
        return new SamplingSchedule(sigmas, terminal);
    }
}
