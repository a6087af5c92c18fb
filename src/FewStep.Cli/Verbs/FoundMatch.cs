using FewStep.Reporting;

namespace FewStep.Cli.Verbs;

/// <summary>A sampler that <c>match</c> moved and wrote, for programs. Distances are Fréchet's to the real images, on held-out latents but
/// for those matched on.</summary>
internal sealed record FoundMatch(
    int Steps, string Solver, double HeldOut, double HeldOutBefore, double Matched, int Iterations, long NetworkEvaluations, double Seconds,
    IReadOnlyList<double> Sigmas, string File)
{
    public static FoundMatch Of(WrittenMatch written)
    {
        var ((sampler, result), file) = written;
        return new FoundMatch(
            sampler.Steps, sampler.Solver.Name, result.After.HeldOut, result.Before.HeldOut, result.After.Fitted, result.Iterations,
            result.Evaluations, result.Seconds, [.. sampler.Schedule.Sigmas], file);
    }
}
