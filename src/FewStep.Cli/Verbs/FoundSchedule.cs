using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary>A schedule that <c>schedule</c> found and wrote, as it tells of it.</summary>
internal sealed record FoundSchedule(
    string Optimizer, int Steps, string? Weighting, string Solver, string Objective, IReadOnlyList<double> Sigmas, double Loss,
    double? LossLow, double? LossHigh, double? Bound, long NetworkEvaluations, double Seconds, string Search, string StopReason,
    string File)
{
    /// <summary>Writes a sampler that was found, in a file of its own.</summary>
    public static FoundSchedule Write(string folder, FoundSampler found)
    {
        var (choice, result, sampler) = (found.By, found.Result, found.Sampler);
        string path = found.Save(folder);
        return new FoundSchedule(
            choice.Text, sampler.Steps, result.Weighting, sampler.Solver.Name, result.Objective, [.. sampler.Schedule.Sigmas],
            result.Loss.Value, result.Loss.Low, result.Loss.High, result.Bound, result.NetworkEvaluations, result.Seconds, result.Search,
            result.StopReason, path);
    }

    public static Table Phase1Table(IEnumerable<FoundSchedule> found)
    {
        var table = new Table().AddColumns("weighting", "N", "discretization loss (95 %)", "sigmas");
        foreach (var schedule in found)
            table.AddRow(schedule.Weighting ?? "", Number(schedule.Steps), Markup.Escape(schedule.LossText), schedule.SigmaText);
        return table;
    }

    public static Table OptimizerTable(IEnumerable<FoundSchedule> found)
    {
        var table = new Table().AddColumns("optimiser", "N", "objective (95 %)", "evaluations", "seconds", "stopped", "sigmas");
        foreach (var schedule in found)
        {
            string name = schedule.Weighting is null ? schedule.Optimizer : $"{schedule.Optimizer}, {schedule.Weighting}";
            table.AddRow(
                Markup.Escape(name), Number(schedule.Steps), Markup.Escape(schedule.LossText), Number(schedule.NetworkEvaluations),
                schedule.Seconds.ToString("F1", CultureInfo.InvariantCulture), Markup.Escape(schedule.StopReason), schedule.SigmaText);
        }

        return table;
    }

    private string LossText => LossLow is null && LossHigh is null ? InvariantText.Of($"{Loss:G4}")
        : InvariantText.Of($"{Loss:G4} [{LossLow:G4}, {LossHigh:G4}]");

    private string SigmaText => string.Join(", ", Sigmas.Select(s => s.ToString("G4", CultureInfo.InvariantCulture)));
    private static string Number(long value) => value.ToString("N0", CultureInfo.InvariantCulture);
}
