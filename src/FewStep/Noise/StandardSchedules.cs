namespace FewStep.Noise;

/// <summary>The standard sampling schedules by name.</summary>
public static class StandardSchedules
{
    // A new schedule is one line here.
    private static readonly Rule[] Rules =
    [
        new("karras", "rho", "equal steps in sigma^(1/rho), rho = 7", "Karras et al. 2022, equation 5", 1,
            p => StandardSchedule.Karras(At(p, 0, 7)), IsBaseline: true),
        new("log-snr", null, "equal steps in ln sigma", "Lu et al. 2022 (DPM-Solver)", 0, _ => StandardSchedule.LogSnr(), IsBaseline: true),
        new("uniform-t", null, "equal steps in the time of linear VP diffusion", "Ho et al. 2020 (DDPM), Song et al. 2021 (DDIM)", 0,
            _ => StandardSchedule.UniformTime("uniform-t", new LinearVpNoise()), IsBaseline: true),
        new("quadratic-t", null, "equal steps in the square root of that time", "Song et al. 2021 (DDIM's quadratic steps)", 0,
            _ => StandardSchedule.QuadraticTime("quadratic-t", new LinearVpNoise())),
        new("cosine", null, "equal steps in the time of cosine VP diffusion", "Nichol and Dhariwal 2021", 0,
            _ => StandardSchedule.UniformTime("cosine", new CosineVpNoise()), IsBaseline: true),
        new("flow", "shift", "equal steps in the time of rectified flow, sigma = shift t / (1 - t), shift = 1",
            "Liu et al. 2022; Esser et al. 2024 (SD3's shift)", 1, p => StandardSchedule.RectifiedFlow(At(p, 0, 1))),
        new("exponential", null, "log-snr under its name in diffusers", "diffusers", 0, _ => StandardSchedule.LogSnr()),
        new("beta", "alpha:beta", "quantiles of a Beta distribution between sigma_max and sigma_min, alpha = beta = 0.6",
            "diffusers, after Lee et al. 2024", 2, p => StandardSchedule.BetaSigma(At(p, 0, 0.6), At(p, 1, 0.6))),
        new("beta-t", "alpha:beta", "quantiles of a Beta distribution over the time of linear VP diffusion", "Lee et al. 2024 (Beta "
            + "Sampling)", 2, p => StandardSchedule.BetaTime("beta-t", new LinearVpNoise(), At(p, 0, 0.6), At(p, 1, 0.6))),
        new("ays-sd15", null, "published table of 10 steps for Stable Diffusion 1.5", "Sabour et al. 2024 (Align Your Steps), NVIDIA", 0,
            _ => PublishedTables.AysStableDiffusion15),
        new("ays-sdxl", null, "published table of 10 steps for SDXL", "Sabour et al. 2024 (Align Your Steps), NVIDIA", 0,
            _ => PublishedTables.AysStableDiffusionXl),
        new("ays-svd", null, "published table of 10 steps for Stable Video Diffusion", "Sabour et al. 2024 (Align Your Steps), NVIDIA", 0,
            _ => PublishedTables.AysStableVideoDiffusion),
        new("ays-deepfloyd", null, "published table of 10 steps for the first stage of DeepFloyd IF",
            "Sabour et al. 2024 (Align Your Steps), NVIDIA", 0, _ => PublishedTables.AysDeepFloyd),
        new("sd-trailing", null, "trailing timesteps of Stable Diffusion: what SD Turbo, SDXL Turbo and SDXL Lightning are sampled with",
            "diffusers (timestep_spacing trailing)", 0, _ => PublishedTables.StableDiffusionTrailing),
        new("sd-lcm", null, "timesteps of latent consistency models", "Luo et al. 2023 (LCM), diffusers", 0,
            _ => PublishedTables.LatentConsistency),
        new("gits-table", "coefficient", "published tables of 2 to 20 steps for Stable Diffusion 1.5, coefficient 0.8 to 1.5, default 1.2",
            "Chen et al. 2024 (GITS), ComfyUI", 1, p => PublishedTables.ForGits(At(p, 0, PublishedTables.DefaultGitsCoefficient))),
    ];

    /// <summary>What a name stands for.</summary>
    /// <param name="Name">Name in options.</param>
    /// <param name="Parameter">Name of the number that may follow after a colon, or of both; null where there is none.</param>
    /// <param name="Description">One line.</param>
    /// <param name="Source">Where it comes from.</param>
    public sealed record Entry(string Name, string? Parameter, string Description, string Source);

    /// <summary>Every schedule, in the order of lists.</summary>
    public static IReadOnlyList<Entry> All { get; } = [.. Rules.Select(r => new Entry(r.Name, r.Parameter, r.Description, r.Source))];

    /// <summary>The one to take where nobody chose: Karras'.</summary>
    public static StandardSchedule Usual { get; } = StandardSchedule.Karras();

    /// <summary>The names alone.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Rules.Select(r => r.Name)];

    /// <summary>What others are measured against by default, the usual one first.</summary>
    public static IReadOnlyList<string> Baselines { get; } = [.. Rules.Where(r => r.IsBaseline).Select(r => r.Name)];

    /// <summary>Finds a schedule by name.</summary>
    /// <param name="name">One of <see cref="Names"/>, with its numbers after a colon where it has some: <c>karras:5</c>, <c>flow:3</c>,
    /// <c>beta:0.5:0.7</c> (or <c>beta:0.5,0.7</c>), <c>gits-table:1.15</c>.</param>
    /// <exception cref="InvalidInputException">The name or its parameter is unknown or out of range; the message lists the
    /// names.</exception>
    public static StandardSchedule Find(string name)
    {
        string[] parts = name.Split(':', 2);
        var rule = Rules.FirstOrDefault(r => r.Name == parts[0])
            ?? throw new InvalidInputException(
                $"There is no schedule '{Printable.Line(name, 40)}'. Choose one of {string.Join(", ", Names)}."
                    + Suggestion.For(parts[0], Names));
        return rule.Create(parts.Length == 1 ? [] : Numbers(rule, name, parts[1]));
    }

    /// <summary>The schedule of N steps from sigmaMax to sigmaMin; both ends are exact.</summary>
    /// <param name="name">See <see cref="Find"/>.</param>
    /// <param name="steps">N, 1 to <see cref="StandardSchedule.MaximumSteps"/>.</param>
    /// <param name="sigmaMin">Last noise level, above 0.</param>
    /// <param name="sigmaMax">First noise level, above <paramref name="sigmaMin"/>.</param>
    /// <exception cref="InvalidInputException">A value is unknown or out of range.</exception>
    public static SamplingSchedule Create(string name, int steps, double sigmaMin, double sigmaMax)
        => Find(name).Create(steps, sigmaMin, sigmaMax);

    private static double[] Numbers(Rule rule, string name, string text)
    {
        if (rule.Numbers == 0)
        {
            throw new InvalidInputException($"Schedule '{rule.Name}' takes no number after a colon; only "
                + $"{string.Join(", ", Rules.Where(r => r.Numbers > 0).Select(r => r.Name))} do.");
        }

        string[] parts = text.Split(':', ',');
        var numbers = new double[parts.Length];
        bool valid = parts.Length == rule.Numbers;
        for (int i = 0; i < parts.Length; i++)
        {
            valid &= double.TryParse(parts[i], NumberStyles.Float, CultureInfo.InvariantCulture, out numbers[i])
                && double.IsFinite(numbers[i]);
        }

        return valid
            ? numbers
            : throw new InvalidInputException($"Schedule '{Printable.Line(name, 40)}': what follows the colon must be "
                + $"{(rule.Numbers == 1 ? "a number" : $"{rule.Numbers} numbers")}, {rule.Name}:{rule.Parameter}.");
    }

    private static double At(double[] numbers, int index, double usual) => index < numbers.Length ? numbers[index] : usual;

    private sealed record Rule(string Name, string? Parameter, string Description, string Source, int Numbers,
        Func<double[], StandardSchedule> Create, bool IsBaseline = false);
}
