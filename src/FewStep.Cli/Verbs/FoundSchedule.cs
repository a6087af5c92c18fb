using System.Globalization;
using FewStep.Noise;
using FewStep.Search;
using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary>A schedule that <c>schedule</c> found and wrote, as it tells of it.</summary>
internal sealed record FoundSchedule(
    string Optimizer,
    int Steps,
    string? Weighting,
    string Solver,
    string Objective,
    IReadOnlyList<double> Sigmas,
    double Loss,
    double? LossLow,
    double? LossHigh,
    double? Bound,
    long NetworkEvaluations,
    double Seconds,
    string Search,
    string StopReason,
    string File)
{
    private const string Phase1Prefix = "discretization loss, ";

    /// <summary>Writes a result's schedule file.</summary>
    /// <param name="folder">Where to.</param>
    /// <param name="choice">Who found it.</param>
    /// <param name="solver">Name of the solver that it was made for.</param>
    /// <param name="result">What was found.</param>
    /// <param name="origin">What else the file says: hashes and seed. Its schedule is not looked at.</param>
    public static FoundSchedule Write(string folder, ScheduleOptimizerChoice choice, string solver, ScheduleSearchResult result, ScheduleRecord origin)
    {
        string? weighting = result.Objective.StartsWith(Phase1Prefix, StringComparison.Ordinal) ? result.Objective[Phase1Prefix.Length..] : null;
        string name = weighting is null ? choice.Text : $"{choice.Entry.Name}-{weighting}";
        name = choice.Entry.IsForSolver ? $"{name}-{solver}" : name;
        string path = Path.Combine(folder, $"{name.Replace(' ', '-').Replace(':', '-').Replace('=', '-')}-n{result.Schedule.Steps}{ScheduleFile.Extension}");
        ScheduleFile.Write(path, origin with
        {
            Schedule = result.Schedule,
            Solver = solver,
            Objective = result.Objective,
            Loss = result.Loss is { Low: { } low, High: { } high } ? new ScheduleLoss(result.Loss.Value, low, high) : null,
            Evaluations = result.NetworkEvaluations,
        });
        return new FoundSchedule(
            choice.Text, result.Schedule.Steps, weighting, solver, result.Objective, [.. result.Schedule.Sigmas], result.Loss.Value, result.Loss.Low, result.Loss.High, result.Bound, result.NetworkEvaluations, result.Seconds, result.Search, result.StopReason, path);
    }

    /// <summary>The table of Phase 1 alone.</summary>
    public static Table Phase1Table(IEnumerable<FoundSchedule> found)
    {
        var table = new Table().AddColumns("weighting", "N", "discretization loss (95 %)", "sigmas");
        foreach (var schedule in found)
        {
            table.AddRow(schedule.Weighting ?? "", Number(schedule.Steps), Markup.Escape(schedule.LossText), schedule.SigmaText);
        }

        return table;
    }

    /// <summary>The table of several optimisers.</summary>
    public static Table OptimizerTable(IEnumerable<FoundSchedule> found)
    {
        var table = new Table().AddColumns("optimiser", "N", "objective (95 %)", "evaluations", "seconds", "stopped", "sigmas");
        foreach (var schedule in found)
        {
            string name = schedule.Weighting is null ? schedule.Optimizer : $"{schedule.Optimizer}, {schedule.Weighting}";
            table.AddRow(
                Markup.Escape(name), Number(schedule.Steps), Markup.Escape(schedule.LossText), Number(schedule.NetworkEvaluations), schedule.Seconds.ToString("F1", CultureInfo.InvariantCulture), Markup.Escape(schedule.StopReason), schedule.SigmaText);
        }

        return table;
    }

    private string LossText => string.Create(CultureInfo.InvariantCulture, $"{Loss:G4} [{LossLow:G4}, {LossHigh:G4}]");

    private string SigmaText => string.Join(", ", Sigmas.Select(s => s.ToString("G4", CultureInfo.InvariantCulture)));

    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
