using FewStep.Checkpoints;

namespace FewStep.Interchange;

/// <summary>What becomes of the end of a schedule in an exported list.</summary>
internal enum FinalSigma
{
    /// <summary>As the schedule says: its last sigma, and a zero after it where its terminal rule is zero.</summary>
    Keep,

    /// <summary>A zero in place of the last sigma: as many evaluations, and no noise left.</summary>
    Zero,

    /// <summary>A zero after the last sigma: one evaluation more.</summary>
    AppendZero,
}

/// <summary>How to write a schedule for another program.</summary>
internal sealed record ScheduleExportOptions
{
    /// <summary>Significant digits, 3 to 17; default 9, which keep a float32 exactly.</summary>
    public int Digits { get; init; } = 9;

    /// <summary>What becomes of the end; default as the schedule says. Programs that must have a zero get one anyway.</summary>
    public FinalSigma Final { get; init; } = FinalSigma.Keep;

    /// <summary>What programs count the model's noise in; null (default) where nothing is known of the model.</summary>
    public NoiseFamily? Family { get; init; }

    /// <summary>diffusers: the scheduler class to write for; null (default) for all that take a schedule.</summary>
    public string? Scheduler { get; init; }

    /// <summary>Flow-matching schedulers: the shift that they apply to what they are given, 0.01 to 100; default that of the family, or
    /// none.</summary>
    public FlowShift Shift { get => field ?? (Family as NoiseFamily.FlowTimes)?.Shift ?? new(); init; }

    /// <summary>Whether programs that count noise in flow times get those.</summary>
    public bool IsFlow => Family is NoiseFamily.FlowTimes;

    public void Validate() => new OptionRules("The export is impossible")
        .Require(Digits is >= SigmaText.FewestDigits and <= SigmaText.MostDigits,
            $"{Digits} digits are not {SigmaText.FewestDigits} to {SigmaText.MostDigits}")
        .Require(Shift.Factor is >= 0.01 and <= 100, $"the shift {Shift.Factor} is not in 0.01 to 100")
        .Check();

    /// <summary>The sigmas of a schedule with their end.</summary>
    internal IReadOnlyList<double> Sigmas(SamplingSchedule schedule) => Final switch
    {
        FinalSigma.Zero when schedule.Terminal == ScheduleTerminal.SigmaMin => [.. schedule.Sigmas.SkipLast(1), 0],
        FinalSigma.Keep when schedule.Terminal == ScheduleTerminal.SigmaMin => schedule.Sigmas,
        _ => [.. schedule.Sigmas, 0],
    };

    /// <summary>The noise levels at which a program denoises that goes on to zero after the last of them by itself.</summary>
    internal IReadOnlyList<double> Visited(SamplingSchedule schedule) => schedule.Terminal == ScheduleTerminal.Zero
        || Final == FinalSigma.AppendZero ? schedule.Sigmas : [.. schedule.Sigmas.SkipLast(1)];
}
