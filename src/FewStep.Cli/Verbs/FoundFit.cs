using FewStep.Reporting;

namespace FewStep.Cli.Verbs;

/// <summary>A sampler that <c>fit</c> found and wrote, for programs. Residuals are mean squares of a value's difference from the teacher's
/// at the end, on held-out latents but for those fitted on.</summary>
internal sealed record FoundFit(
    int Steps, string Solver, double HeldOut, double? HeldOutLow, double? HeldOutHigh, double? Fitted, double Base, long NetworkEvaluations,
    double Seconds, string StopReason, IReadOnlyList<double> Sigmas, string File)
{
    public static FoundFit Of(WrittenFit fit)
    {
        var (sampler, result, file) = fit;
        return new FoundFit(
            sampler.Steps, sampler.Solver.Name, result.HeldOut.Value, result.HeldOut.Low, result.HeldOut.High, result.Fitted,
            result.Base.Value, result.Evaluations, result.Seconds, result.Stop, [.. sampler.Schedule.Sigmas], file);
    }
}
