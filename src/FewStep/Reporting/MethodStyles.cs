using FewStep.Experiments;
using FewStep.Reporting.Charts;

namespace FewStep.Reporting;

/// <summary>How a method or a solver looks in every chart and table.</summary>
internal sealed record MethodStyle(string CssClass, MarkerShape Shape, string Dash = "")
{
    public string LineClass => Dash.Length == 0 ? $"series {CssClass}" : $"series {CssClass} {Dash}";
}

/// <summary>Gives each method (a schedule with a tuning) and each solver one look for the whole report: the result stands out, standard
/// schedules are grey; dashes and shapes tell further ones apart.</summary>
internal sealed class MethodStyles
{
    private const int Colours = 6;
    private static readonly MethodStyle Teacher = new("teacher", MarkerShape.Square);
    private static readonly MarkerShape[] Shapes = [MarkerShape.Diamond, MarkerShape.Circle, MarkerShape.Triangle, MarkerShape.Square];
    private readonly Dictionary<(string Schedule, string? Tuning), MethodStyle> _methods = [];
    private readonly Dictionary<string, MethodStyle> _solvers = [];
    private int _grey;
    private int _coloured;

    public MethodStyles(Summary summary)
    {
        TrialSummary[] trials = [.. summary.Trials.Where(t => t.Role != TrialRole.Teacher)];
        TrialSummary? result = trials.FirstOrDefault(t => t.Role == TrialRole.Result);
        IEnumerable<(string Schedule, string? Tuning)> methods =
        [
            .. result is null ? Array.Empty<(string, string?)>() : [Key(result), (Key(result).Schedule, null)],
            .. trials.Where(t => t.Source == ScheduleSource.Phase1 && t.Tuning is null).Select(Key),
            .. trials.Select(Key),
            .. summary.TuningRounds.Select(r => (r.Schedule, (string?)r.Tuning)),
        ];
        var standard = trials.Where(t => t.Tuning is null && t.Source == ScheduleSource.Standard).Select(Key).ToHashSet();
        foreach (var method in methods.Distinct())
        {
            bool isGrey = standard.Contains(method) && (result is null || Key(result) != method);
            _methods.Add(method, isGrey ? Grey(_grey++) : Coloured(_coloured++));
        }

        foreach (string solver in trials.Select(t => t.SolverKind).OfType<string>().Distinct())
            _solvers.Add(solver, Coloured(_solvers.Count));
    }

    public MethodStyle Of(TrialSummary trial) => trial.Role == TrialRole.Teacher ? Teacher : _methods[Key(trial)];

    /// <summary>The look of a method; the one of the standard schedules where it is unknown.</summary>
    public MethodStyle Of(string schedule, string? tuning) => _methods.GetValueOrDefault((schedule, tuning)) ?? Grey(0);

    public MethodStyle Solver(string name) => _solvers[name];
    private static (string Schedule, string? Tuning) Key(TrialSummary t) => (t.Series, t.Tuning);
    private static MethodStyle Grey(int index) => new("standard", Shapes[(index + 1) % Shapes.Length], Dash(index % 4));

    private static MethodStyle Coloured(int index) =>
        new(FormattableString.Invariant($"m{(index % Colours) + 1}"), Shapes[(index + (index / Colours)) % Shapes.Length],
            Dash(index / Colours % 4));

    private static string Dash(int index) => index == 0 ? "" : FormattableString.Invariant($"dash{index}");
}
