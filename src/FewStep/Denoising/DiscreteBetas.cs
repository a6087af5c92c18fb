using FewStep.Runtime;

namespace FewStep.Denoising;

/// <summary>The variances beta_1..beta_N of a discrete variance-preserving process; alpha-bar_t is the product of 1 - beta up to t.</summary>
public sealed record DiscreteBetas
{
    private const double CosineOffset = 0.008;
    private const double LargestCosineBeta = 0.999;

    /// <summary>Creates the schedule.</summary>
    /// <param name="kind">How beta grows.</param>
    /// <param name="steps">Number of time steps N, 2 to 100,000; default 1000.</param>
    /// <param name="first">First beta; unused by the cosine. Default 0.0001.</param>
    /// <param name="last">Last beta; unused by the cosine. Default 0.02.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public DiscreteBetas(BetaKind kind, int steps = 1000, double first = 0.0001, double last = 0.02)
    {
        if (steps is < 2 or > 100_000 || (kind != BetaKind.Cosine && (!(first is > 0 and < 1) || !(last is < 1) || !(last >= first))))
        {
            throw new InvalidInputException(FormattableString.Invariant($"A discrete noise schedule needs 2 to 100000 time steps and 0 < beta_start <= beta_end < 1, not {steps} steps and {first}, {last}."));
        }

        (Kind, Steps, First, Last) = (kind, steps, first, last);
    }

    /// <summary>How beta grows.</summary>
    public BetaKind Kind { get; }

    /// <summary>Number of time steps N.</summary>
    public int Steps { get; }

    /// <summary>First beta.</summary>
    public double First { get; }

    /// <summary>Last beta.</summary>
    public double Last { get; }

    /// <summary>The noise levels sqrt(1 - alpha-bar_t) / sqrt(alpha-bar_t) of the time steps 0 to N - 1, increasing.</summary>
    public double[] NoiseLevels()
    {
        var levels = new double[Steps];

        // sigma^2 + 1 = 1 / alpha-bar: summing sigma^2 itself keeps the digits of small levels.
        double s2 = 0;
        for (int t = 0; t < Steps; t++)
        {
            double beta = Beta(t);
            s2 = (s2 + beta) / (1 - beta);
            levels[t] = Math.Sqrt(s2);
        }

        return levels;
    }

    private double Beta(int t)
    {
        double share = (double)t / (Steps - 1);
        switch (Kind)
        {
            case BetaKind.Linear:
                return First + share * (Last - First);
            case BetaKind.ScaledLinear:
                double root = Math.Sqrt(First) + share * (Math.Sqrt(Last) - Math.Sqrt(First));
                return root * root;
            default:
                double before = Angle((double)t / Steps), after = Angle((t + 1.0) / Steps);

                // 1 - cos(after)^2 / cos(before)^2, where the difference loses digits.
                double cosine = Math.Cos(before);
                return Math.Min(Math.Sin(after - before) * Math.Sin(after + before) / (cosine * cosine), LargestCosineBeta);
        }
    }

    private static double Angle(double time) => (time + CosineOffset) / (1 + CosineOffset) * Math.PI / 2;
}

/// <summary>How the variances of a discrete noise schedule grow.</summary>
public enum BetaKind
{
    /// <summary>Linearly from the first to the last (Ho et al. 2006.11239).</summary>
    Linear,

    /// <summary>Linearly in the square root.</summary>
    ScaledLinear,

    /// <summary>So that alpha-bar follows a squared cosine, each beta at most 0.999 (Nichol and Dhariwal 2102.09672).</summary>
    Cosine,
}
