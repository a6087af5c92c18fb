using FewStep.Noise;

namespace FewStep.Experiments;

/// <summary>A schedule in the report.</summary>
/// <param name="Name">Unique name, e.g. <c>Phase 1, power 0</c>.</param>
/// <param name="Source">Where it comes from.</param>
/// <param name="Sigmas">N+1 noise levels, strictly decreasing, above 0.</param>
/// <param name="Terminal">What happens at the last sigma.</param>
public sealed record ScheduleSummary(string Name, ScheduleSource Source, IReadOnlyList<double> Sigmas, ScheduleTerminal Terminal)
{
    /// <summary>Summarises a schedule.</summary>
    /// <param name="name">Unique name.</param>
    /// <param name="source">Where it comes from.</param>
    /// <param name="schedule">Its sigmas and terminal rule.</param>
    public static ScheduleSummary From(string name, ScheduleSource source, SamplingSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        return new ScheduleSummary(name, source, schedule.Sigmas, schedule.Terminal);
    }
}
