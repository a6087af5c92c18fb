using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>A summary with what several sections ask of it.</summary>
internal sealed class ReportPage(Summary summary)
{
    private const int MostTrials = 1000;
    private readonly bool _manySolvers = summary.Trials.Select(t => t.Solver).Distinct().Count() > 1;
    private readonly ILookup<int, TrialSummary> _at = summary.Trials.Where(t => t.Role != TrialRole.Teacher).ToLookup(t => t.Number);
    public Summary Summary => summary;
    public MethodStyles Styles { get; } = new(summary);

    /// <summary>Gives the PNG bytes of a picture from its path; null where there is none.</summary>
    public Func<string, byte[]?> Image { get; init; } = _ => null;

    public bool IsBrief { get; init; }

    /// <summary>The figure that the headline is about; null where nothing was measured.</summary>
    public FigureSummary? Main => summary.Figures.Count == 0 ? null : summary.Figures[0];

    public TrialSummary? Result => With(TrialRole.Result);
    public TrialSummary? Baseline => With(TrialRole.Baseline);
    public TrialSummary? Teacher => With(TrialRole.Teacher);

    /// <summary>What trials are compared at, the teachers left out.</summary>
    public IReadOnlyList<int> Numbers { get; } =
        [.. summary.Trials.Where(t => t.Role != TrialRole.Teacher).Select(t => t.Number).Distinct().Order()];

    /// <summary>The trials at a number, the teachers left out.</summary>
    public IEnumerable<TrialSummary> At(int number) => _at[number];

    /// <summary>The trials that tables and charts show, in the order of the summary: all of them; of more than anybody can look at, those
    /// with a role and the best by the main figure at each number.</summary>
    public IReadOnlyList<TrialSummary> Shown => field ??= summary.Trials.Count <= MostTrials ? summary.Trials : BestAtEach();

    /// <summary>Most of them at a number; null where all are shown.</summary>
    public int? MostAtNumber => summary.Trials.Count <= MostTrials ? null : Math.Max(1, MostTrials / Math.Max(1, Numbers.Count));

    /// <summary>Those at a number, the teachers left out.</summary>
    public IEnumerable<TrialSummary> ShownAt(int number) => Shown.Where(t => t.Number == number && t.Role != TrialRole.Teacher);

    /// <summary>The best by the main figure at the number that is shown.</summary>
    public TrialSummary? BestShown => Best(At(summary.ShownNumber));

    /// <summary>The strongest untuned sampler that takes as many evaluations as the result; null where there is none.</summary>
    public TrialSummary? BestUntuned => Result is not { } result
        ? null
        : Best(summary.Trials.Where(
            t => t.Role != TrialRole.Teacher && t != result && t.Tuning is null && t.EvaluationsPerImage == result.EvaluationsPerImage));

    /// <summary>The best of some trials by the main figure; null where none has a value.</summary>
    public TrialSummary? Best(IEnumerable<TrialSummary> trials) =>
        Main is { } main ? trials.Where(t => t.Has(main)).MinBy(t => t.Cost(main)) : null;

    public string Unit(int number) => (summary.Axis, number) switch
    {
        (_, 0) => "stored images",
        (ComparisonAxis.Evaluations, 1) => "1 evaluation",
        (ComparisonAxis.Evaluations, _) => $"{NumberText.Count(number)} evaluations",
        (_, 1) => "1 step",
        _ => $"{NumberText.Count(number)} steps",
    };

    /// <summary>Schedule and tuning, and the solver where there are several.</summary>
    public string Label(TrialSummary trial)
        => $"{Method(trial)}{(_manySolvers && trial.Solver is not null ? $" with {trial.Solver}" : "")}";

    public static string Method(TrialSummary trial) => Method(trial.ScheduleLabel, trial.Tuning);
    public static string Method(string schedule, string? tuning) => tuning is null ? schedule : $"{schedule} + {tuning}";

    private TrialSummary[] BestAtEach()
    {
        var best = _at.SelectMany(trials => trials.OrderBy(t => Main is { } main && t.Has(main) ? t.Cost(main) : double.PositiveInfinity)
            .Take(MostAtNumber!.Value)).ToHashSet(ReferenceEqualityComparer.Instance);
        return [.. summary.Trials.Where(t => t.Role != TrialRole.Comparison || best.Contains(t))];
    }

    private TrialSummary? With(TrialRole role) => summary.Trials.FirstOrDefault(t => t.Role == role);
}
