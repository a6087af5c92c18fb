using FewStep.Noise;
using FewStep.Reporting.Charts;
using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>Gives each schedule (and each solver) of a comparison one look for the whole page: what was searched or given has a colour, standard schedules are grey; dashes and shapes tell further ones apart.</summary>
internal sealed class ComparisonStyles
{
    private const int Colours = 6;
    private static readonly MarkerShape[] Shapes = [MarkerShape.Circle, MarkerShape.Diamond, MarkerShape.Triangle, MarkerShape.Square];
    private readonly Dictionary<string, LineStyle> _schedules = [];
    private readonly Dictionary<string, LineStyle> _solvers = [];

    public ComparisonStyles(ComparisonSummary summary)
    {
        Schedules = [.. summary.Cells.Select(c => c.Schedule).Distinct()];
        Solvers = [.. summary.Cells.Select(c => c.Solver).Distinct()];
        int grey = 0, coloured = 0;
        foreach (string schedule in Schedules)
        {
            bool standard = summary.Cells.First(c => c.Schedule == schedule).Source == ScheduleSource.Standard;
            _schedules[schedule] = standard ? Grey(grey++) : Coloured(coloured++);
        }

        foreach (string solver in Solvers)
        {
            _solvers[solver] = Coloured(_solvers.Count);
        }
    }

    /// <summary>Schedules in the order of legends.</summary>
    public IReadOnlyList<string> Schedules { get; }

    /// <summary>Solvers in the order of legends.</summary>
    public IReadOnlyList<string> Solvers { get; }

    /// <summary>Look of a schedule.</summary>
    public LineStyle Schedule(string name) => _schedules.GetValueOrDefault(name) ?? Grey(0);

    /// <summary>Look of a solver.</summary>
    public LineStyle Solver(string name) => _solvers.GetValueOrDefault(name) ?? Grey(0);

    private static LineStyle Grey(int index) => new(new MethodStyle("standard", Shapes[index % Shapes.Length]), Dash(index % 4));

    private static LineStyle Coloured(int index) => new(new MethodStyle(FormattableString.Invariant($"m{(index % Colours) + 1}"), Shapes[(index + (index / Colours)) % Shapes.Length]), Dash(index / Colours % 4));

    private static string Dash(int index) => index == 0 ? "" : FormattableString.Invariant($"dash{index}");
}

/// <summary>Look of a line with data points.</summary>
/// <param name="Points">Colour and shape of its points.</param>
/// <param name="Dash">Class of its dashes; empty for a solid line.</param>
internal sealed record LineStyle(MethodStyle Points, string Dash)
{
    /// <summary>Classes of the line.</summary>
    public string LineClass => Dash.Length == 0 ? $"series {Points.CssClass}" : $"series {Points.CssClass} {Dash}";
}
