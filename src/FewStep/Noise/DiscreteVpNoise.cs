using System.Collections.Immutable;
using FewStep.Runtime;

namespace FewStep.Noise;

/// <summary>
/// The noise levels of a variance-preserving model that was trained on M whole times t = 0, ..., M - 1, as the betas of its training give them:
/// sigma(t)^2 = 1 / alpha-bar(t) - 1, alpha-bar(t) = prod_(s &lt;= t) (1 - beta_s) (Ho et al. 2020).
/// </summary>
/// <remarks>A sigma between two levels belongs to the time that is nearest in ln sigma (<see cref="NearestTime"/>), or to one in between by linear interpolation in ln sigma (<see cref="TimeBetween"/>).</remarks>
public sealed class DiscreteVpNoise
{
    /// <summary>Usual number of times M.</summary>
    public const int UsualTimes = 1000;

    private const int MostTimes = 100_000;

    // Above it the last level of a cosine schedule would be infinite (Nichol and Dhariwal 2021, section 3.2).
    private const double LargestCosineBeta = 0.999;

    private readonly ImmutableArray<double> _logarithms;

    private DiscreteVpNoise(string name, double[] betas)
    {
        Name = name;
        var sigmas = new double[betas.Length];
        double logAlphaBar = 0;
        for (int t = 0; t < betas.Length; t++)
        {
            logAlphaBar += Math.Log(1 - betas[t]);
            // exp(v) - 1 as 2 exp(v / 2) sinh(v / 2), which keeps its digits near t = 0.
            double v = -logAlphaBar;
            sigmas[t] = Math.Sqrt(2 * Math.Exp(v / 2) * Math.Sinh(v / 2));
        }

        Sigmas = [.. sigmas];
        _logarithms = [.. sigmas.Select(sigma => Math.Log(sigma))];
        if (!sigmas.Zip(sigmas.Skip(1), (low, high) => low < high).All(rises => rises) || !(sigmas[0] > 0) || !double.IsFinite(sigmas[^1]))
        {
            throw new InvalidInputException($"The betas of the noise {name} give noise levels that do not increase from time to time, or end at infinity; take other betas.");
        }
    }

    /// <summary>Name: <c>vp-linear</c>, <c>vp-scaled-linear</c> or <c>vp-cosine</c>.</summary>
    public string Name { get; }

    /// <summary>sigma(t) for t = 0, ..., M - 1, increasing.</summary>
    public ImmutableArray<double> Sigmas { get; }

    /// <summary>Betas in equal steps (DDPM, guided-diffusion: 0.0001 to 0.02).</summary>
    /// <param name="first">beta_0, above 0; default 0.0001.</param>
    /// <param name="last">beta_(M-1), at least <paramref name="first"/> and below 1; default 0.02.</param>
    /// <param name="times">M, 2 to 100,000; default 1000.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public static DiscreteVpNoise Linear(double first = 0.0001, double last = 0.02, int times = UsualTimes)
    {
        Check("vp-linear", first, last, times);
        return new DiscreteVpNoise("vp-linear", Ramp(times, i => first + (last - first) * i));
    }

    /// <summary>Betas whose square roots are in equal steps (latent diffusion, Stable Diffusion: 0.00085 to 0.012).</summary>
    /// <param name="first">beta_0, above 0; default 0.00085.</param>
    /// <param name="last">beta_(M-1), at least <paramref name="first"/> and below 1; default 0.012.</param>
    /// <param name="times">M, 2 to 100,000; default 1000.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public static DiscreteVpNoise ScaledLinear(double first = 0.00085, double last = 0.012, int times = UsualTimes)
    {
        Check("vp-scaled-linear", first, last, times);
        double a = Math.Sqrt(first), b = Math.Sqrt(last);
        return new DiscreteVpNoise("vp-scaled-linear", Ramp(times, i => Math.Pow(a + (b - a) * i, 2)));
    }

    /// <summary>alpha-bar(t) = cos^2(((t + 1) / M + s) / (1 + s) pi / 2) up to a factor, each beta at most 0.999 (Nichol and Dhariwal 2021, equation 17; diffusers' squaredcos_cap_v2).</summary>
    /// <param name="times">M, 2 to 100,000; default 1000.</param>
    /// <param name="offset">s, 0 to 1; default 0.008.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public static DiscreteVpNoise Cosine(int times = UsualTimes, double offset = 0.008)
    {
        if (times is < 2 or > MostTimes || !(offset is >= 0 and <= 1))
        {
            throw new InvalidInputException(FormattableString.Invariant($"The noise vp-cosine needs 2 to {MostTimes} times and an offset of 0 to 1, not {times} and {offset}."));
        }

        double AlphaBar(double t) => Math.Pow(Math.Cos((t + offset) / (1 + offset) * Math.PI / 2), 2);
        return new DiscreteVpNoise("vp-cosine", [.. Enumerable.Range(0, times).Select(t => Math.Min(1 - (AlphaBar((t + 1.0) / times) / AlphaBar((double)t / times)), LargestCosineBeta))]);
    }

    /// <summary>The time whose level is nearest to sigma in ln sigma; the ends stand for all beyond them.</summary>
    /// <param name="sigma">Noise level, above 0.</param>
    public int NearestTime(double sigma) => (int)Math.Round(TimeBetween(sigma), MidpointRounding.AwayFromZero);

    /// <summary>The time of sigma, linear in ln sigma between two levels; the ends stand for all beyond them.</summary>
    /// <param name="sigma">Noise level, above 0.</param>
    public double TimeBetween(double sigma)
    {
        double wanted = Math.Log(sigma);
        int next = _logarithms.BinarySearch(wanted);
        if (next >= 0)
        {
            return next;
        }

        next = ~next;
        if (next == 0)
        {
            return 0;
        }

        if (next == _logarithms.Length)
        {
            return next - 1;
        }

        return next - 1 + ((wanted - _logarithms[next - 1]) / (_logarithms[next] - _logarithms[next - 1]));
    }

    private static double[] Ramp(int times, Func<double, double> beta) => [.. Enumerable.Range(0, times).Select(t => beta((double)t / (times - 1)))];

    private static void Check(string name, double first, double last, int times)
    {
        if (!(first > 0) || !(last >= first) || !(last < 1) || times is < 2 or > MostTimes)
        {
            throw new InvalidInputException(FormattableString.Invariant($"The noise {name} needs 0 < beta_start <= beta_end < 1 and 2 to {MostTimes} times, not {first}, {last} and {times}."));
        }
    }
}
