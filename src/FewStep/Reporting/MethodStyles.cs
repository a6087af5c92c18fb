using FewStep.Noise;
using FewStep.Reporting.Charts;
using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>Gives each method (a schedule with a tuning) one look for the whole report: the result stands out, what it is compared with is grey.</summary>
internal sealed class MethodStyles
{
    private static readonly MethodStyle Standard = new("standard", MarkerShape.Circle);
    private static readonly MethodStyle Teacher = new("teacher", MarkerShape.Square);
    private static readonly MethodStyle[] Slots =
    [
        new("m1", MarkerShape.Diamond), new("m2", MarkerShape.Circle), new("m3", MarkerShape.Triangle),
        new("m4", MarkerShape.Square), new("m5", MarkerShape.Diamond), new("m6", MarkerShape.Circle),
    ];

    private readonly Dictionary<(string Schedule, string? Tuning), MethodStyle> _styles = [];
    private int _next;

    public MethodStyles(RunSummary summary)
    {
        EvaluationSummary? result = summary.Evaluations.FirstOrDefault(e => e.Role == EvaluationRole.Result);
        Dictionary<string, ScheduleSource> sources = [];
        foreach (ScheduleSummary schedule in summary.Schedules)
        {
            sources.TryAdd(schedule.Name, schedule.Source);
        }

        foreach (EvaluationSummary teacher in summary.Evaluations.Where(e => e.Role == EvaluationRole.Teacher))
        {
            _styles.TryAdd((teacher.Schedule, teacher.Tuning), Teacher);
        }

        IEnumerable<(string Schedule, string? Tuning)> methods =
        [
            .. result is null ? Array.Empty<(string, string?)>() : [(result.Schedule, result.Tuning), (result.Schedule, null)],
            .. summary.Schedules.Where(s => s.Source == ScheduleSource.Phase1).Select(s => (s.Name, (string?)null)),
            .. summary.Evaluations.Select(e => (e.Schedule, e.Tuning)),
            .. summary.TuningRounds.Select(r => (r.Schedule, (string?)r.Tuning)),
            .. summary.Schedules.Select(s => (s.Name, (string?)null)),
        ];
        foreach ((string Schedule, string? Tuning) method in methods)
        {
            bool isResult = result is not null && method == (result.Schedule, result.Tuning);
            ScheduleSource source = sources.GetValueOrDefault(method.Schedule, ScheduleSource.Given);
            if (!_styles.ContainsKey(method))
            {
                _styles.Add(method, source == ScheduleSource.Teacher ? Teacher : method.Tuning is null && source == ScheduleSource.Standard && !isResult ? Standard : NextSlot());
            }
        }
    }

    /// <summary>The look of a method; the one of the standard schedules where it is unknown.</summary>
    public MethodStyle Of(string schedule, string? tuning) => _styles.GetValueOrDefault((schedule, tuning), Standard);

    private MethodStyle NextSlot() => _next < Slots.Length ? Slots[_next++] : Standard;
}
