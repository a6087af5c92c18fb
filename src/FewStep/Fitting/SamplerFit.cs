using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Fitting;

/// <summary>Fits samplers to a model: their sigmas stay, their solver becomes the one that is fitted on them.</summary>
internal sealed class SamplerFit(Model model, FitOptions options, long seed)
{
    /// <returns>What the samplers became, each when it is asked for, with its number among them.</returns>
    public IEnumerable<(int Index, Sampler Sampler, FittedSchedule Result)> Fit(
        IReadOnlyList<Sampler> samplers, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var fit = new SolverFit(model.Denoiser, options, SeedPlan.Searched(seed));
        return fit.Fit([.. samplers.Select(s => s.Schedule)], progress, cancellation).Select(found => (
            found.Index, new Sampler(found.Result.Schedule, found.Result.Solver)
            { Origin = Origin(samplers[found.Index], found.Result) }, found.Result));
    }

    private SamplerOrigin Origin(Sampler sampler, FittedSchedule result) => sampler.Origin with
    {
        Objective = FormattableString.Invariant(
            $"mean-square distance at the end to {options.TeacherSteps} steps of {options.TeacherSolver}, held-out latents"),
        Loss = result.HeldOut.Interval,
        Evaluations = result.Evaluations + (sampler.Origin.Evaluations ?? 0),
        ModelHash = model.Hash,
        Seed = seed,
        Fit = result.Solver is not FittedSolver ? null : new FitOrigin
        {
            Latents = options.Latents,
            HeldOutLatents = options.HeldOutLatents,
            Teacher = FormattableString.Invariant($"{options.TeacherSolver}, {options.TeacherSteps} steps"),
            Guidance = model.Guidance?.ToString(),
            Label = options.Label,
            Fitted = result.Fitted!.Value,
            HeldOut = result.HeldOut.Interval!,
            Base = result.Base.Interval!,
            Stop = result.Stop,
        },
    };
}
