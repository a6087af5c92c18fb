namespace FewStep.Noise;

/// <summary>
/// The noise levels of a variance-preserving model that was trained on M whole times t = 0, ..., M - 1, as the betas of its training give
/// them: sigma(t)^2 = 1 / alpha-bar(t) - 1, alpha-bar(t) = prod_(s &lt;= t) (1 - beta_s) (Ho et al. 2020).
/// </summary>
internal sealed class DiscreteVpNoise
{
    /// <summary>Betas in equal steps (DDPM, guided-diffusion); 0.0001 to 0.02 where nothing else is said.</summary>
    public const string LinearName = "vp-linear";

    /// <summary>Betas whose square roots are in equal steps (latent diffusion, Stable Diffusion); 0.00085 to 0.012 where nothing else is
    /// said.</summary>
    public const string ScaledLinearName = "vp-scaled-linear";

    /// <summary>alpha-bar follows a squared cosine (Nichol and Dhariwal 2021; diffusers' <c>squaredcos_cap_v2</c>).</summary>
    public const string CosineName = "vp-cosine";

    public const int UsualTimes = 1000;
    private const int MostTimes = 100_000;

    // Above it the last level of a cosine schedule would be infinite (Nichol and Dhariwal 2021, section 3.2).
    private const double LargestCosineBeta = 0.999;

    // What diffusers' samplers over sigmas put in place of an alpha-bar of 0.
    private const double LeastSignal = 1.0 / (1 << 24);

    private readonly ImmutableArray<double> _logarithms;
    private readonly DeviceTable _sigmaTable;
    private readonly DeviceTable _logarithmTable;

    private DiscreteVpNoise(string name, double[] sigmas)
    {
        Name = name;
        Sigmas = [.. sigmas];
        _logarithms = [.. sigmas.Select(sigma => Math.Log(sigma))];
        (_sigmaTable, _logarithmTable) = (new DeviceTable(sigmas), new DeviceTable([.. _logarithms]));
        if (!sigmas.Zip(sigmas.Skip(1), (low, high) => low < high).All(rises => rises) || !(sigmas[0] > 0) || !double.IsFinite(sigmas[^1]))
        {
            throw new InvalidInputException($"The betas of the noise {name} give noise levels that do not increase from time to time, or "
                + "end at infinity; take other betas.");
        }
    }

    /// <summary>The noise level that stands for an infinite one: 4096, to seven digits.</summary>
    public static double SigmaOfNoSignal { get; } = Math.Sqrt((1 / LeastSignal) - 1);

    public static IReadOnlyList<string> Names { get; } = [LinearName, ScaledLinearName, CosineName];
    public string Name { get; }

    /// <summary>sigma(t) for t = 0, ..., M - 1, increasing.</summary>
    public ImmutableArray<double> Sigmas { get; }

    public static DiscreteVpNoise Create(string name, double? first = null, double? last = null, int? times = null) => name switch
    {
        LinearName => Linear(first ?? 0.0001, last ?? 0.02, times ?? UsualTimes),
        ScaledLinearName => ScaledLinear(first ?? 0.00085, last ?? 0.012, times ?? UsualTimes),
        CosineName when (first ?? last) is null => Cosine(times ?? UsualTimes),
        CosineName => throw new InvalidInputException($"The noise {CosineName} has no first and last beta; leave them out."),
        _ => throw new InvalidInputException($"The noise {Printable.Text(name)} is none of {string.Join(", ", Names)}."),
    };

    public static DiscreteVpNoise Linear(double first = 0.0001, double last = 0.02, int times = UsualTimes)
    {
        Check(LinearName, first, last, times);
        return new DiscreteVpNoise(LinearName, Sums(times, t => Ramp(first, last, t, times)));
    }

    public static DiscreteVpNoise ScaledLinear(double first = 0.00085, double last = 0.012, int times = UsualTimes)
    {
        Check(ScaledLinearName, first, last, times);
        double low = Math.Sqrt(first), high = Math.Sqrt(last);
        return new DiscreteVpNoise(ScaledLinearName, Sums(times, t => Math.Pow(Ramp(low, high, t, times), 2)));
    }

    /// <summary>alpha-bar(t) = cos^2(((t + 1) / M + s) / (1 + s) pi / 2) up to a factor with s = 0.008, each beta at most 0.999 (Nichol and
    /// Dhariwal 2021, equation 17; diffusers' squaredcos_cap_v2).</summary>
    public static DiscreteVpNoise Cosine(int times = UsualTimes)
    {
        if (times is < 2 or > MostTimes)
            throw new InvalidInputException($"The noise {CosineName} needs 2 to {MostTimes} times, not {times}.");
        var continuous = new CosineVpNoise();
        return new DiscreteVpNoise(
            CosineName, Sums(times, t => Math.Min(continuous.Beta((double)t / times, (t + 1.0) / times), LargestCosineBeta)));
    }

    /// <summary>The cosine as EDM writes iDDPM's levels (2206.00364, table 1): alpha-bar_j = sin^2(pi / 2 j / (M (C_2 + 1))), u_(j-1)^2 + 1
    /// = (u_j^2 + 1) / max(alpha-bar_(j-1) / alpha-bar_j, C_1), upwards from u_M = 0, which is no level of the network.</summary>
    public static DiscreteVpNoise Iddpm(double smallestAlpha = 0.001, double offset = 0.008, int times = UsualTimes)
    {
        if (!(smallestAlpha is > 0 and < 1) || !(offset is >= 0 and <= 10) || times is < 2 or > MostTimes)
        {
            throw new InvalidInputException($"iDDPM preconditioning needs C_1 in (0, 1), C_2 in [0, 10] and M in 2..{MostTimes}, not "
                + $"{smallestAlpha}, {offset}, {times}.");
        }

        double AlphaBar(int j)
        {
            double sine = Math.Sin(Math.PI / 2 * j / times / (offset + 1));
            return sine * sine;
        }

        var sigmas = new double[times];
        double u = 0;
        for (int j = times; j > 0; j--)
        {
            u = Math.Sqrt((u * u + 1) / Math.Max(AlphaBar(j - 1) / AlphaBar(j), smallestAlpha) - 1);
            sigmas[times - j] = u;
        }

        return new DiscreteVpNoise("iDDPM", sigmas);
    }

    /// <summary>Noise levels as a model states them, increasing.</summary>
    public static DiscreteVpNoise Of(string name, IReadOnlyList<double> sigmas) => sigmas.Count is >= 2 and <= MostTimes
        ? new DiscreteVpNoise(name, [.. sigmas])
        : throw new InvalidInputException($"The noise {name} needs 2 to {MostTimes} noise levels, not {sigmas.Count}.");

    /// <summary>Noise levels of given betas.</summary>
    public static double[] SigmasOf(IReadOnlyList<double> betas) => Sums(betas.Count, t => betas[t]);

    /// <summary>The same noise moved and scaled in sqrt(alpha-bar), so that the first time stays and the last has no signal (Lin et al.
    /// 2305.08891, algorithm 1): its sigma is <see cref="SigmaOfNoSignal"/>, for infinity.</summary>
    public DiscreteVpNoise WithZeroTerminalSnr()
    {
        double Root(double sigma) => 1 / Math.Sqrt(1 + (sigma * sigma));
        double first = Root(Sigmas[0]), last = Root(Sigmas[^1]);
        var sigmas = Sigmas.Select(sigma => (Root(sigma) - last) * first / (first - last))
            .Select(root => Math.Sqrt((1 / Math.Max(root * root, LeastSignal)) - 1)).ToArray();
        return new DiscreteVpNoise($"{Name} with zero terminal SNR", sigmas);
    }

    /// <summary>The time that a network is told for sigma; the ends stand for all beyond them.</summary>
    public double Time(double sigma, TimeRounding rounding)
    {
        double wanted = Math.Log(sigma);
        int next = _logarithms.BinarySearch(wanted);
        if (next >= 0)
            return next;
        next = ~next;
        if (next == 0 || next == _logarithms.Length)
            return Math.Max(0, next - 1);
        double between = next - 1 + ((wanted - _logarithms[next - 1]) / (_logarithms[next] - _logarithms[next - 1]));
        return rounding switch
        {
            TimeRounding.NearestSigma => sigma - Sigmas[next - 1] <= Sigmas[next] - sigma ? next - 1 : next,
            TimeRounding.NearestLogarithm => Math.Round(between, MidpointRounding.AwayFromZero),
            _ => between,
        };
    }

    /// <summary><see cref="Time(double, TimeRounding)"/> of many levels, where they lie, so that none of them is read back.</summary>
    internal Tensor Times(Tensor sigma, TimeRounding rounding)
    {
        var levels = _sigmaTable.On(sigma.device);
        var next = searchsorted(levels, sigma).Clamp(1, Sigmas.Length - 1); // beyond the ends the neighbours are the last two levels
        var low = next.Minus(1);
        if (rounding == TimeRounding.NearestSigma)
            return where(sigma - levels[low] <= levels[next] - sigma, low, next);
        var logarithms = _logarithmTable.On(sigma.device);
        var between = low.Plus((sigma.log() - logarithms[low]) / (logarithms[next] - logarithms[low])).Clamp(0, Sigmas.Length - 1);
        return rounding == TimeRounding.NearestLogarithm ? between.Plus(0.5).floor() : between;
    }

    /// <summary>The time whose level is nearest to sigma in ln sigma; the ends stand for all beyond them.</summary>
    public int NearestTime(double sigma) => (int)Time(sigma, TimeRounding.NearestLogarithm);

    /// <summary>The nearest times of falling levels, each once: where several levels have the same, those before the last move up, and down
    /// again at the first time of all.</summary>
    public int[] DistinctTimes(IReadOnlyList<double> sigmas)
    {
        if (sigmas.Count > Sigmas.Length)
        {
            throw new InvalidInputException(
                $"{sigmas.Count} noise levels are more than the {Sigmas.Length} timesteps of {Name}; take fewer steps.");
        }

        int[] times = [.. sigmas.Select(NearestTime)];
        for (int i = times.Length - 2; i >= 0; i--)
            times[i] = Math.Max(times[i], times[i + 1] + 1);
        for (int i = 0; i < times.Length; i++)
            times[i] = Math.Min(times[i], i == 0 ? Sigmas.Length - 1 : times[i - 1] - 1);
        return times;
    }

    // sigma^2 + 1 = 1 / alpha-bar: summing sigma^2 itself keeps the digits of small levels.
    private static double[] Sums(int times, Func<int, double> beta)
    {
        var sigmas = new double[times];
        double s2 = 0;
        for (int t = 0; t < times; t++)
        {
            s2 = (s2 + beta(t)) / (1 - beta(t));
            sigmas[t] = Math.Sqrt(s2);
        }

        return sigmas;
    }

    private static double Ramp(double first, double last, int time, int times) => first + ((last - first) * time / (times - 1));

    private static void Check(string name, double first, double last, int times)
    {
        if (!(first > 0) || !(last >= first) || !(last < 1) || times is < 2 or > MostTimes)
        {
            throw new InvalidInputException(
                $"The noise {name} needs 0 < beta_start <= beta_end < 1 and 2 to {MostTimes} times, not {first}, {last} and {times}.");
        }
    }
}

/// <summary>Which time a network that was trained on whole times is told for a sigma between two of their levels. The factors of its input
/// and output follow sigma itself either way.</summary>
/// <remarks>The rules differ for sigmas near the middle of two levels only, but a network is told another time there, so what another
/// implementation does must be done here to agree with it.</remarks>
internal enum TimeRounding
{
    /// <summary>The time of the level nearest to sigma, the lower one of two that are as near: NVlabs/edm's rounding, by which checkpoints
    /// of openai/guided-diffusion are read.</summary>
    NearestSigma,

    /// <summary>The time of the level nearest in ln sigma, as programs with k-diffusion's samplers have it.</summary>
    NearestLogarithm,

    /// <summary>A time between two whole ones, linear in ln sigma, for networks that are told times as real numbers.</summary>
    Between,
}
