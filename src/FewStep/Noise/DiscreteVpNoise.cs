using System.Collections.Immutable;
using FewStep.Platform;

namespace FewStep.Noise;

/// <summary>
/// The noise levels of a variance-preserving model that was trained on M whole times t = 0, ..., M - 1, as the betas of its training give them:
/// sigma(t)^2 = 1 / alpha-bar(t) - 1, alpha-bar(t) = prod_(s &lt;= t) (1 - beta_s) (Ho et al. 2020).
/// </summary>
public sealed class DiscreteVpNoise
{
    /// <summary>Betas in equal steps (DDPM, guided-diffusion); 0.0001 to 0.02 where nothing else is said.</summary>
    public const string LinearName = "vp-linear";

    /// <summary>Betas whose square roots are in equal steps (latent diffusion, Stable Diffusion); 0.00085 to 0.012 where nothing else is said.</summary>
    public const string ScaledLinearName = "vp-scaled-linear";

    /// <summary>alpha-bar follows a squared cosine (Nichol and Dhariwal 2021; diffusers' <c>squaredcos_cap_v2</c>).</summary>
    public const string CosineName = "vp-cosine";

    /// <summary>Usual number of times M.</summary>
    public const int UsualTimes = 1000;

    private const int MostTimes = 100_000;
    private const double CosineOffset = 0.008;

    // Above it the last level of a cosine schedule would be infinite (Nichol and Dhariwal 2021, section 3.2).
    private const double LargestCosineBeta = 0.999;

    private readonly ImmutableArray<double> _logarithms;

    private DiscreteVpNoise(string name, int times, Func<int, double> beta)
    {
        Name = name;
        var sigmas = new double[times];

        // sigma^2 + 1 = 1 / alpha-bar: summing sigma^2 itself keeps the digits of small levels.
        double s2 = 0;
        for (int t = 0; t < times; t++)
        {
            s2 = (s2 + beta(t)) / (1 - beta(t));
            sigmas[t] = Math.Sqrt(s2);
        }

        Sigmas = [.. sigmas];
        _logarithms = [.. sigmas.Select(sigma => Math.Log(sigma))];
        if (!sigmas.Zip(sigmas.Skip(1), (low, high) => low < high).All(rises => rises) || !(sigmas[0] > 0) || !double.IsFinite(sigmas[^1]))
        {
            throw new InvalidInputException($"The betas of the noise {name} give noise levels that do not increase from time to time, or end at infinity; take other betas.");
        }
    }

    /// <summary>The names that <see cref="Create"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } = [LinearName, ScaledLinearName, CosineName];

    /// <summary>Its name, one of <see cref="Names"/>.</summary>
    public string Name { get; }

    /// <summary>sigma(t) for t = 0, ..., M - 1, increasing.</summary>
    public ImmutableArray<double> Sigmas { get; }

    /// <summary>The noise of a name.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="first">beta_0; null is the name's usual one.</param>
    /// <param name="last">beta_(M-1); null is the name's usual one.</param>
    /// <param name="times">M, 2 to 100,000; null is 1000.</param>
    /// <exception cref="InvalidInputException">The name is unknown, or a value is out of range or has no meaning for it.</exception>
    public static DiscreteVpNoise Create(string name, double? first = null, double? last = null, int? times = null) => name switch
    {
        LinearName => Linear(first ?? 0.0001, last ?? 0.02, times ?? UsualTimes),
        ScaledLinearName => ScaledLinear(first ?? 0.00085, last ?? 0.012, times ?? UsualTimes),
        CosineName when (first ?? last) is null => Cosine(times ?? UsualTimes),
        CosineName => throw new InvalidInputException($"The noise {CosineName} has no first and last beta; leave them out."),
        _ => throw new InvalidInputException($"The noise {Printable.Text(name)} is none of {string.Join(", ", Names)}."),
    };

    /// <summary>Betas in equal steps (DDPM, guided-diffusion: 0.0001 to 0.02).</summary>
    /// <param name="first">beta_0, above 0; default 0.0001.</param>
    /// <param name="last">beta_(M-1), at least <paramref name="first"/> and below 1; default 0.02.</param>
    /// <param name="times">M, 2 to 100,000; default 1000.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public static DiscreteVpNoise Linear(double first = 0.0001, double last = 0.02, int times = UsualTimes)
    {
        Check(LinearName, first, last, times);
        return new DiscreteVpNoise(LinearName, times, t => Ramp(first, last, t, times));
    }

    /// <summary>Betas whose square roots are in equal steps (latent diffusion, Stable Diffusion: 0.00085 to 0.012).</summary>
    /// <param name="first">beta_0, above 0; default 0.00085.</param>
    /// <param name="last">beta_(M-1), at least <paramref name="first"/> and below 1; default 0.012.</param>
    /// <param name="times">M, 2 to 100,000; default 1000.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public static DiscreteVpNoise ScaledLinear(double first = 0.00085, double last = 0.012, int times = UsualTimes)
    {
        Check(ScaledLinearName, first, last, times);
        double low = Math.Sqrt(first), high = Math.Sqrt(last);
        return new DiscreteVpNoise(ScaledLinearName, times, t => Math.Pow(Ramp(low, high, t, times), 2));
    }

    /// <summary>alpha-bar(t) = cos^2(((t + 1) / M + s) / (1 + s) pi / 2) up to a factor with s = 0.008, each beta at most 0.999 (Nichol and Dhariwal 2021, equation 17; diffusers' squaredcos_cap_v2).</summary>
    /// <param name="times">M, 2 to 100,000; default 1000.</param>
    /// <exception cref="InvalidInputException">The number is out of range.</exception>
    public static DiscreteVpNoise Cosine(int times = UsualTimes)
    {
        if (times is < 2 or > MostTimes)
        {
            throw new InvalidInputException(FormattableString.Invariant($"The noise {CosineName} needs 2 to {MostTimes} times, not {times}."));
        }

        double Angle(double share) => (share + CosineOffset) / (1 + CosineOffset) * Math.PI / 2;
        return new DiscreteVpNoise(CosineName, times, t =>
        {
            // 1 - cos(after)^2 / cos(before)^2, where the difference loses digits.
            double before = Angle((double)t / times), after = Angle((t + 1.0) / times), cosine = Math.Cos(before);
            return Math.Min(Math.Sin(after - before) * Math.Sin(after + before) / (cosine * cosine), LargestCosineBeta);
        });
    }

    /// <summary>The time that a network is told for sigma; the ends stand for all beyond them.</summary>
    /// <param name="sigma">Noise level, above 0.</param>
    /// <param name="rounding">The rule between two levels.</param>
    /// <returns>0 to M - 1, whole unless the rule is <see cref="TimeRounding.Between"/>.</returns>
    public double Time(double sigma, TimeRounding rounding)
    {
        double wanted = Math.Log(sigma);
        int next = _logarithms.BinarySearch(wanted);
        if (next >= 0)
        {
            return next;
        }

        next = ~next;
        if (next == 0 || next == _logarithms.Length)
        {
            return Math.Max(0, next - 1);
        }

        double between = next - 1 + ((wanted - _logarithms[next - 1]) / (_logarithms[next] - _logarithms[next - 1]));
        return rounding switch
        {
            TimeRounding.NearestSigma => sigma - Sigmas[next - 1] <= Sigmas[next] - sigma ? next - 1 : next,
            TimeRounding.NearestLogarithm => Math.Round(between, MidpointRounding.AwayFromZero),
            _ => between,
        };
    }

    /// <summary>The time whose level is nearest to sigma in ln sigma; the ends stand for all beyond them.</summary>
    /// <param name="sigma">Noise level, above 0.</param>
    public int NearestTime(double sigma) => (int)Time(sigma, TimeRounding.NearestLogarithm);

    private static double Ramp(double first, double last, int time, int times) => first + ((last - first) * time / (times - 1));

    private static void Check(string name, double first, double last, int times)
    {
        if (!(first > 0) || !(last >= first) || !(last < 1) || times is < 2 or > MostTimes)
        {
            throw new InvalidInputException(FormattableString.Invariant($"The noise {name} needs 0 < beta_start <= beta_end < 1 and 2 to {MostTimes} times, not {first}, {last} and {times}."));
        }
    }
}
