using System.Reflection;

namespace FewStep.Noise;

/// <summary>Schedules that others optimised for well-known models and published as lists of noise levels.</summary>
internal static class PublishedTables
{
    /// <summary>The GITS table that is meant where no coefficient is given: what its authors recommend.</summary>
    public const double DefaultGitsCoefficient = 1.2;

    private const string Gits = "gits-table";
    private const int LcmTimes = 50, LcmSpacing = 20;
    private static readonly Lazy<DiscreteVpNoise> StableDiffusionNoise = new(
        () => DiscreteVpNoise.Create(DiscreteVpNoise.ScaledLinearName));

    private static readonly Lazy<SortedDictionary<int, double[][]>> GitsTables = new(ReadGits);

    /// <summary>Align Your Steps (Sabour et al. 2024), 10 steps of Stable Diffusion 1.5, published by NVIDIA like the next two.</summary>
    public static StandardSchedule AysStableDiffusion15 { get; } = StandardSchedule.Table(
        "ays-sd15", _ => [14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029]);

    /// <summary>The same of SDXL.</summary>
    public static StandardSchedule AysStableDiffusionXl { get; } = StandardSchedule.Table(
        "ays-sdxl", _ => [14.615, 6.315, 3.771, 2.181, 1.342, 0.862, 0.555, 0.380, 0.234, 0.113, 0.029]);

    /// <summary>The same of Stable Video Diffusion.</summary>
    public static StandardSchedule AysStableVideoDiffusion { get; } = StandardSchedule.Table(
        "ays-svd", _ => [700.00, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002]);

    /// <summary>The same of the first stage of DeepFloyd IF.</summary>
    public static StandardSchedule AysDeepFloyd { get; } = StandardSchedule.Table(
        "ays-deepfloyd", _ => [160.41, 8.081, 3.315, 1.885, 1.207, 0.785, 0.553, 0.293, 0.186, 0.030, 0.006]);

    /// <summary>Every 1000/N-th timestep of Stable Diffusion from its last, 999: diffusers' "trailing" spacing, which SD Turbo, SDXL Turbo
    /// and SDXL Lightning are sampled with.</summary>
    public static StandardSchedule StableDiffusionTrailing { get; } = OfTimesteps("sd-trailing", TrailingTime, DiscreteVpNoise.UsualTimes);

    /// <summary>N of every 20th timestep of Stable Diffusion: the 50 that latent consistency models were distilled on (Luo et al. 2023),
    /// spaced as diffusers' LCMScheduler does.</summary>
    public static StandardSchedule LatentConsistency { get; } = OfTimesteps(
        "sd-lcm", (i, steps) => DiscreteVpNoise.UsualTimes - 1 - (LcmSpacing * (i * LcmTimes / steps)), LcmTimes);

    /// <summary>GITS (Chen et al. 2024) for Stable Diffusion 1.5: one table for each number of steps from 2 to 20; more steps are resampled
    /// from the table of 20, one step is both ends.</summary>
    public static StandardSchedule ForGits(double coefficient)
    {
        int hundredths = (int)Math.Round(100 * Math.Clamp(coefficient, 0, 100));
        if (Math.Abs(coefficient - (hundredths / 100.0)) > 1e-9 || !GitsTables.Value.TryGetValue(hundredths, out double[][]? tables))
        {
            throw new InvalidInputException($"There is no table of the schedule '{Gits}' for "
                + $"the coefficient {coefficient:R}; it must be 0.8 to 1.5 in steps of 0.05 ({DefaultGitsCoefficient} is usual).");
        }

        string name = hundredths == (int)Math.Round(100 * DefaultGitsCoefficient) ? Gits : InvariantText.Of($"{Gits}:{hundredths / 100.0}");
        return StandardSchedule.Table(name, steps => tables[Math.Clamp(steps, 2, tables.Length + 1) - 2]);
    }

    private static int TrailingTime(int i, int steps) =>
        (int)Math.Round(DiscreteVpNoise.UsualTimes - ((double)i * DiscreteVpNoise.UsualTimes / steps)) - 1;

    // The sigmas of the timesteps that are evaluated, and the model's smallest.
    private static StandardSchedule OfTimesteps(string name, Func<int, int, int> time, int most) => StandardSchedule.Table(name, steps =>
    {
        var sigmas = StableDiffusionNoise.Value.Sigmas;
        steps = Math.Min(steps, most);
        return [.. Enumerable.Range(0, steps).Select(i => sigmas[time(i, steps)]), sigmas[0]];
    });

    private static SortedDictionary<int, double[][]> ReadGits()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("FewStep.Noise.gits-tables.json")
            ?? throw new InvalidOperationException("The GITS tables are missing in the assembly.");
        var file = JsonSerializer.Deserialize<GitsFile>(stream, JsonFile.Options)
            ?? throw new InvalidOperationException("The GITS tables are empty.");
        return new(file.Tables.ToDictionary(t => (int)Math.Round(100 * double.Parse(t.Key, CultureInfo.InvariantCulture)), t => t.Value));
    }

    private sealed record GitsFile(string Source, Dictionary<string, double[][]> Tables);
}

/// <summary>How a published table of noise levels becomes a schedule of another range and another number of steps.</summary>
internal static class PublishedTable
{
    /// <summary>
    /// The table's first and last levels give way to the schedule's ends; of the others those strictly between the ends stay. If that makes
    /// N+1 levels they are the schedule, unchanged. Otherwise they are resampled log-linearly: ln sigma is linear between neighbours over
    /// the index (as NVIDIA publishes it for Align Your Steps).
    /// </summary>
    public static double[] Fit(IReadOnlyList<double> table, int steps, double sigmaMax, double sigmaMin)
    {
        double[] levels = [sigmaMax, .. table.Skip(1).SkipLast(1).Where(s => s < sigmaMax && s > sigmaMin), sigmaMin];
        long intervals = levels.Length - 1;
        var sigmas = new double[steps + 1];
        for (int i = 0; i <= steps; i++)
        {
            // Whole numbers: a level that is met exactly stays the table's figure.
            (long k, long rest) = Math.DivRem(i * intervals, steps);
            sigmas[i] = rest == 0 ? levels[k] : Math.Exp(Math.Log(levels[k]) + (Math.Log(levels[k + 1] / levels[k]) * rest / steps));
        }

        return sigmas;
    }
}
