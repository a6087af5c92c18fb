using System.Globalization;
using FewStep.Runtime;

namespace FewStep.Noise;

/// <summary>The standard sampling schedules by name.</summary>
public static class StandardSchedules
{
    /// <summary>What a name stands for.</summary>
    /// <param name="Name">Name in options.</param>
    /// <param name="Parameter">Name of the number that may follow after a colon; null where there is none.</param>
    /// <param name="Description">One line.</param>
    public sealed record Entry(string Name, string? Parameter, string Description);

    /// <summary>Every schedule, in the order of lists.</summary>
    public static IReadOnlyList<Entry> All { get; } =
    [
        new("karras", "rho", "equal steps in sigma^(1/rho), rho = 7 (Karras et al. 2022)"),
        new("log-snr", null, "equal steps in the logarithm of sigma (DPM-Solver)"),
        new("uniform-t", null, "equal steps in the time of linear VP diffusion (DDPM, DDIM)"),
        new("quadratic-t", null, "equal steps in the square root of that time (DDIM's quadratic steps)"),
        new("cosine", null, "equal steps in the time of cosine VP diffusion (Nichol and Dhariwal 2021)"),
    ];

    /// <summary>The names alone.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(e => e.Name)];

    /// <summary>Finds a schedule by name.</summary>
    /// <param name="name">One of <see cref="Names"/>; <c>karras</c> takes its rho after a colon, e.g. <c>karras:5</c>.</param>
    /// <exception cref="InvalidInputException">The name or its parameter is unknown or out of range; the message lists the names.</exception>
    public static StandardSchedule Find(string name)
    {
        string[] parts = name.Split(':', 2);
        double? parameter = null;
        if (parts.Length == 2)
        {
            if (!double.TryParse(parts[1], NumberStyles.Float, CultureInfo.InvariantCulture, out double value) || !double.IsFinite(value))
            {
                throw new InvalidInputException($"Schedule '{OneLine(name)}': what follows the colon must be a number, as in karras:5.");
            }

            parameter = value;
        }

        if (parameter is not null && All.Any(e => e.Name == parts[0] && e.Parameter is null))
        {
            throw new InvalidInputException($"Schedule '{parts[0]}' takes no number after a colon; only karras does.");
        }

        return parts[0] switch
        {
            "karras" => StandardSchedule.Karras(parameter ?? 7),
            "log-snr" => StandardSchedule.LogSnr(),
            "uniform-t" => StandardSchedule.UniformTime("uniform-t", new LinearVpNoise()),
            "quadratic-t" => StandardSchedule.QuadraticTime("quadratic-t", new LinearVpNoise()),
            "cosine" => StandardSchedule.UniformTime("cosine", new CosineVpNoise()),
            _ => throw new InvalidInputException($"There is no schedule '{OneLine(name)}'. Choose one of {string.Join(", ", Names)}."),
        };
    }

    /// <summary>The schedule of N steps from sigmaMax to sigmaMin; both ends are exact.</summary>
    /// <param name="name">See <see cref="Find"/>.</param>
    /// <param name="steps">N, 1 to <see cref="StandardSchedule.MaximumSteps"/>.</param>
    /// <param name="sigmaMin">Last noise level, above 0.</param>
    /// <param name="sigmaMax">First noise level, above <paramref name="sigmaMin"/>.</param>
    /// <exception cref="InvalidInputException">A value is unknown or out of range.</exception>
    public static SamplingSchedule Create(string name, int steps, double sigmaMin, double sigmaMax) => Find(name).Create(steps, sigmaMin, sigmaMax);

    private static string OneLine(string text) => new([.. text.Take(40).Select(c => char.IsControl(c) ? ' ' : c)]);
}
