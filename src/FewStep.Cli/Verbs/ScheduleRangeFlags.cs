namespace FewStep.Cli.Verbs;

/// <summary><c>--sigma-min</c> and <c>--sigma-max</c>: the noise levels between which schedules are made and searched.</summary>
internal sealed class ScheduleRangeFlags(Command command, string also = "")
{
    private readonly Option<double?> _low = command.Optional<double?>("--sigma-min",
        $"Smallest noise level of the schedules that are made or searched; left out, the model's.{also}", "number");

    private readonly Option<double?> _high = command.Optional<double?>("--sigma-max",
        $"Largest noise level of those schedules; left out, the model's, or {EdmPreconditioning.UsualMaximum} where its own is above "
            + $"{ScheduleRange.LargestKept:F0} (cosine noise).{also}", "number");

    public IEnumerable<Option> All => [_low, _high];

    public (double? Low, double? High) Read(ParseResult parsed) => (parsed.GetValue(_low), parsed.GetValue(_high));

    /// <summary>Refuses the options where every schedule is given, with sigmas of its own.</summary>
    public void RefuseIdle(ParseResult parsed, params IEnumerable<ScheduleChoice?> chosen)
    {
        if (chosen.All(c => c is null or ScheduleChoice.Given))
            OptionValues.RefuseIdle(parsed, All, "a schedule that is made or searched: one that is given has sigmas of its own");
    }
}
