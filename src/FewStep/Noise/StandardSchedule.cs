using MathNet.Numerics.Distributions;

namespace FewStep.Noise;

/// <summary>A standard sampling schedule: a rule that gives N steps between any two noise levels.</summary>
/// <remarks>
/// Karras et al., log-SNR and the uniform times of a noise schedule are N steps of equal length in some coordinate u(sigma) and differ in
/// nothing but u. Beta quantiles and published tables are not.
/// </remarks>
public sealed class StandardSchedule
{
    /// <summary>Most steps that a standard schedule offers.</summary>
    public const int MaximumSteps = 100_000;

    private readonly Func<int, double, double, double[]> _levels; // (N, sigma_max, sigma_min) to N+1 sigmas

    private readonly Func<int, IReadOnlyList<double>>? _table; // null for a formula

    private StandardSchedule(string name, Func<int, double, double, double[]> levels, Func<int, IReadOnlyList<double>>? table = null)
        => (Name, _levels, _table) = (name, levels, table);

    /// <summary>Name, with its parameter where that is not the default, e.g. <c>karras:5</c>. It is unique: two names of one schedule
    /// (<c>exponential</c>) share it.</summary>
    public string Name { get; }

    /// <summary>Equal steps in sigma^(1/rho) (Karras et al. 2022, equation 5).</summary>
    /// <param name="rho">0.1 to 1000; default 7. 1 is uniform in sigma; large values approach <see cref="LogSnr"/>.</param>
    /// <exception cref="InvalidInputException">rho is out of range.</exception>
    public static StandardSchedule Karras(double rho = 7)
    {
        CheckRange("karras", "rho", rho, 0.1, 1000, "7 is usual");
        return EqualSteps(Named("karras", rho, 7), s => Math.Pow(s, 1 / rho), u => Math.Pow(u, rho));
    }

    /// <summary>
    /// Equal steps in ln sigma, which is half the negative logarithm of the signal-to-noise ratio (Lu et al. 2022, DPM-Solver). diffusers
    /// calls it exponential: exp(linspace(ln sigma_max, ln sigma_min)).
    /// </summary>
    public static StandardSchedule LogSnr() => EqualSteps("log-snr", Math.Log, Math.Exp);

    /// <summary>Equal steps in the time of a noise schedule.</summary>
    /// <param name="name">Name of the schedule.</param>
    /// <param name="noise">Whose time.</param>
    public static StandardSchedule UniformTime(string name, NoiseSchedule noise) => EqualSteps(name, noise.Time, noise.Sigma);

    /// <summary>Equal steps in the square root of the time of a noise schedule: more steps at low noise (Song et al. 2021, DDIM,
    /// "quadratic").</summary>
    /// <param name="name">Name of the schedule.</param>
    /// <param name="noise">Whose time.</param>
    public static StandardSchedule QuadraticTime(string name, NoiseSchedule noise)
        => EqualSteps(name, s => Math.Sqrt(noise.Time(s)), u => noise.Sigma(u * u));

    /// <summary>
    /// Equal steps in the time t of rectified flow, sigma = t / (1 - t), moved to higher noise by SD3's shift: t' = shift t / (1 + (shift -
    /// 1) t), so sigma = shift t / (1 - t) (Liu et al. 2022; Esser et al. 2024, equation 23).
    /// </summary>
    /// <param name="shift">0.01 to 100; default 1, which shifts nothing. SD3 takes 3.</param>
    /// <exception cref="InvalidInputException">The shift is out of range.</exception>
    public static StandardSchedule RectifiedFlow(double shift = 1)
    {
        CheckRange("flow", "the shift", shift, 0.01, 100, "1 shifts nothing, SD3 takes 3");
        return EqualSteps(Named("flow", shift, 1), s => s / (shift + s), t => shift * t / (1 - t));
    }

    /// <summary>
    /// Quantiles q of a Beta distribution, as diffusers places them: sigma = sigma_min + q(1 - i / N) (sigma_max - sigma_min). The Beta
    /// distribution is from Lee et al. 2024, "Beta Sampling is All You Need" (arXiv 2407.12173), which takes the quantiles over the model's
    /// time: that is <see cref="BetaTime"/>.
    /// </summary>
    /// <param name="alpha">First parameter, 0.3 to 10; default 0.6.</param>
    /// <param name="beta">Second parameter, 0.3 to 10; default 0.6. Equal parameters below 1 crowd both ends.</param>
    /// <exception cref="InvalidInputException">A parameter is out of range.</exception>
    public static StandardSchedule BetaSigma(double alpha = 0.6, double beta = 0.6) => BetaQuantiles("beta", alpha, beta, s => s, u => u);

    /// <summary>Quantiles of a Beta distribution over the time of a noise schedule: t = t_min + q(1 - i / N) (t_max - t_min) (Lee et al.
    /// 2024, arXiv 2407.12173, in continuous time).</summary>
    /// <param name="name">Name of the schedule, without parameters.</param>
    /// <param name="noise">Whose time.</param>
    /// <param name="alpha">First parameter, 0.3 to 10; default 0.6.</param>
    /// <param name="beta">Second parameter, 0.3 to 10; default 0.6.</param>
    /// <exception cref="InvalidInputException">A parameter is out of range.</exception>
    public static StandardSchedule BetaTime(string name, NoiseSchedule noise, double alpha = 0.6, double beta = 0.6)
        => BetaQuantiles(name, alpha, beta, noise.Time, noise.Sigma);

    /// <summary>The schedule of N steps; its first sigma is exactly <paramref name="sigmaMax"/>, its last exactly
    /// <paramref name="sigmaMin"/>.</summary>
    /// <param name="steps">N, 1 to <see cref="MaximumSteps"/>.</param>
    /// <param name="sigmaMin">Last noise level, above 0.</param>
    /// <param name="sigmaMax">First noise level, above <paramref name="sigmaMin"/>.</param>
    /// <param name="terminal">What happens at the last sigma; default <see cref="ScheduleTerminal.SigmaMin"/>.</param>
    /// <exception cref="InvalidInputException">A value is out of range, or the sigmas lie too close together to differ.</exception>
    public SamplingSchedule Create(int steps, double sigmaMin, double sigmaMax, ScheduleTerminal terminal = ScheduleTerminal.SigmaMin)
    {
        if (steps is < 1 or > MaximumSteps)
            throw new InvalidInputException($"A schedule of {steps} steps is impossible: the number of steps must be 1 to {MaximumSteps}.");
        if (!(sigmaMin > 0) || !(sigmaMax > sigmaMin) || !double.IsFinite(sigmaMax))
        {
            throw new InvalidInputException(
                $"Noise levels must be finite with 0 < sigma_min < sigma_max; they are sigma_min {sigmaMin:R}, sigma_max {sigmaMax:R}.");
        }

        double[] sigmas = _levels(steps, sigmaMax, sigmaMin);
        (sigmas[0], sigmas[steps]) = (sigmaMax, sigmaMin); // not through a coordinate, whose rounding would move them
        return new SamplingSchedule(sigmas, terminal);
    }

    /// <summary>A published table, fitted to the noise levels and the number of steps (<see cref="PublishedTable.Fit"/>).</summary>
    internal static StandardSchedule Table(string name, Func<int, IReadOnlyList<double>> table) =>
        new(name, (steps, sigmaMax, sigmaMin) => PublishedTable.Fit(table(steps), steps, sigmaMax, sigmaMin), table);

    /// <summary>The noise levels that it was published for; null for a formula, which goes between any two.</summary>
    internal (double Low, double High)? PublishedRange(int steps) => _table?.Invoke(steps) is { } levels ? (levels[^1], levels[0]) : null;

    private static StandardSchedule EqualSteps(string name, Func<double, double> coordinate, Func<double, double> sigma)
        => new(name, (steps, sigmaMax, sigmaMin) =>
    {
        double first = coordinate(sigmaMax), last = coordinate(sigmaMin);
        var sigmas = new double[steps + 1];
        for (int i = 1; i < steps; i++)
            sigmas[i] = sigma(first + (last - first) * i / steps);
        return sigmas;
    });

    private static StandardSchedule BetaQuantiles(
        string name, double alpha, double beta, Func<double, double> coordinate, Func<double, double> sigma)
    {
        CheckRange(name, "alpha", alpha, 0.3, 10, "0.6 is usual");
        CheckRange(name, "beta", beta, 0.3, 10, "0.6 is usual");
        string full = alpha == 0.6 && beta == 0.6 ? name : InvariantText.Of($"{name}:{alpha:R}:{beta:R}");
        return new StandardSchedule(full, (steps, sigmaMax, sigmaMin) =>
        {
            double first = coordinate(sigmaMax), last = coordinate(sigmaMin);
            var sigmas = new double[steps + 1];
            for (int i = 1; i < steps; i++)
            {
                double q = Beta.InvCDF(alpha, beta, 1 - ((double)i / steps));
                sigmas[i] = sigma(last + q * (first - last));
            }

            return sigmas;
        });
    }

    private static string Named(string name, double parameter, double usual)
        => parameter == usual ? name : InvariantText.Of($"{name}:{parameter:R}");

    private static void CheckRange(string schedule, string what, double value, double lowest, double highest, string hint)
    {
        if (!(value >= lowest) || !(value <= highest))
        {
            throw new InvalidInputException(
                $"{what} of the schedule '{schedule}' is {value:R}; it must be {lowest} to {highest} ({hint}).");
        }
    }
}
