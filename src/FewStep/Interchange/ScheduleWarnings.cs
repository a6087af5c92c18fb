namespace FewStep.Interchange;

/// <summary>What is likely wrong with a schedule on its way from or to another program.</summary>
internal static class ScheduleWarnings
{
    private const double Tolerance = 1e-4; // lists hold decimal roundings of the model's ends
    private const double FarOff = 0.05;

    /// <summary>Sigmas that become one timestep, or are far from theirs.</summary>
    public static IReadOnlyList<string> OfTimes(IReadOnlyList<double> sigmas, IReadOnlyList<int> times, DiscreteVpNoise noise)
    {
        var lost = Enumerable.Range(1, Math.Max(0, times.Count - 1)).Where(i => times[i] >= times[i - 1]);
        List<string> warnings =
        [
            .. lost.Select(i => string.Create(CultureInfo.InvariantCulture, $"Sigmas {sigmas[i - 1]:G5} and {sigmas[i]:G5} are both "
                + $"timestep {times[i]}: the step between them is lost, and some programs refuse the list.")),
        ];

        int far = Enumerable.Range(0, times.Count).FirstOrDefault(i => Math.Abs(Math.Log(noise.Sigmas[times[i]] / sigmas[i])) > FarOff, -1);
        if (far >= 0)
        {
            warnings.Add(string.Create(CultureInfo.InvariantCulture, $"Sigma {sigmas[far]:G5} is not close to any level of {noise.Name}; "
                + $"timestep {times[far]} is at {noise.Sigmas[times[far]]:G5}."));
        }

        return warnings;
    }

    /// <summary>Sigmas that did not get their nearest timestep, because another one has it.</summary>
    public static IReadOnlyList<string> OfMoved(IReadOnlyList<double> sigmas, IReadOnlyList<int> times, DiscreteVpNoise noise)
    {
        string[] moved =
        [
            .. sigmas.Zip(times).Where(pair => noise.NearestTime(pair.First) != pair.Second).Select(pair => string.Create(
                CultureInfo.InvariantCulture,
                $"sigma {pair.First:G5} has timestep {pair.Second} in place of {noise.NearestTime(pair.First)}")),
        ];
        return moved.Length == 0 ? []
            : [$"Several sigmas have the same nearest timestep, and schedulers fail on one that occurs twice: {string.Join(", ", moved)}."];
    }

    /// <summary>Sigmas that are the same number once printed.</summary>
    public static IReadOnlyList<string> OfPrinted(IReadOnlyList<double> sigmas, int digits) =>
    [
        .. sigmas.Zip(sigmas.Skip(1))
            .Where(pair => SigmaText.Fixed(pair.First, digits) == SigmaText.Fixed(pair.Second, digits))
            .Select(pair => string.Create(CultureInfo.InvariantCulture,
                $"Two sigmas are both {SigmaText.Fixed(pair.First, digits)} with {digits} digits; print more.")),
    ];

    /// <summary>Another number of steps than was meant.</summary>
    public static IReadOnlyList<string> OfCount(SamplingSchedule schedule, int steps)
    {
        int evaluations = schedule.Steps + (schedule.Terminal == ScheduleTerminal.Zero ? 1 : 0);
        if (evaluations == steps || schedule.Steps == steps)
            return [];
        string hint = schedule.Sigmas.Length == steps && schedule.Terminal == ScheduleTerminal.SigmaMin
            ? $" A list of {steps} sigmas makes {steps - 1} steps; perhaps its last sigma is missing, or a zero."
            : "";
        return [$"The schedule makes {schedule.Steps} steps{(schedule.Terminal == ScheduleTerminal.Zero ? " and a last denoise" : "")}, "
            + $"not {steps}.{hint}"];
    }

    /// <summary>Sigmas beyond the levels that a model was made for.</summary>
    public static IReadOnlyList<string> OfRange(SamplingSchedule schedule, double sigmaMin, double sigmaMax)
    {
        double first = schedule.Sigmas[0], last = schedule.Sigmas[^1];
        return first > sigmaMax * (1 + Tolerance) || last < sigmaMin / (1 + Tolerance)
            ? [string.Create(CultureInfo.InvariantCulture,
                $"The schedule runs from sigma {first:G6} to {last:G6}, but the model was made for {sigmaMin:G6} to {sigmaMax:G6}.")]
            : [];
    }
}
