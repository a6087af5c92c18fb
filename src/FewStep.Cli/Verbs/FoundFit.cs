using FewStep.Fitting;

namespace FewStep.Cli.Verbs;

/// <summary>A sampler that <c>fit</c> found and wrote, as it tells of it. Residuals are mean squares of a value's difference from the
/// teacher's at the end, on held-out latents but for those fitted on.</summary>
internal sealed record FoundFit(
    int Steps, string Solver, double HeldOut, double HeldOutLow, double HeldOutHigh, double? Fitted, double Base, long NetworkEvaluations,
    double Seconds, string StopReason, IReadOnlyList<double> Sigmas, string File)
{
    /// <summary>The row of the table.</summary>
    public IEnumerable<string> Cells =>
    [
        Text($"{Steps}"), Text($"{Root(HeldOut):F4} [{Root(HeldOutLow):F4}, {Root(HeldOutHigh):F4}]"),
        Fitted is double fitted ? Text($"{Root(fitted):F4}") : "–", Text($"{Root(Base):F4}"), Text($"{NetworkEvaluations:N0}"),
        Text($"{Seconds:F1}"), StopReason, string.Join(", ", Sigmas.Select(s => Text($"{s:G4}"))),
    ];

    public static FoundFit Write(string folder, (Sampler Sampler, FittedSchedule Result) fitted)
    {
        var (sampler, result) = fitted;
        string path = Path.Combine(folder, FormattableString.Invariant($"n{sampler.Steps}{SamplerFile.Extension}"));
        sampler.Save(path);
        return new FoundFit(
            sampler.Steps, sampler.Solver.Name, result.HeldOut.Value, result.HeldOut.Low!.Value, result.HeldOut.High!.Value, result.Fitted,
            result.Base.Value, result.Evaluations, result.Seconds, result.Stop, [.. sampler.Schedule.Sigmas], path);
    }

    private static double Root(double meanSquare) => Math.Sqrt(Math.Max(0, meanSquare));

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
