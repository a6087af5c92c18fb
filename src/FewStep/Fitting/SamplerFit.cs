using FewStep.Sampling;
using FewStep.Shards;
using FewStep.Solvers;

namespace FewStep.Fitting;

/// <summary>Fits samplers to a model: their solver becomes the one that is fitted on their sigmas, or on standard ones that end
/// nearer than Phase 1's.</summary>
/// <param name="model">The teacher.</param>
/// <param name="student">Who steps: the model, or what it was tuned to. Not disposed.</param>
internal sealed class SamplerFit(Model model, IDenoiser student, FitOptions options, long seed, IImageEmbedding embedding)
{
    /// <summary>The stage of divided work that the fit is; null (default) for all of it.</summary>
    public Division? Division { get; init; }

    /// <summary>Where refinements are kept, to be gone on with, where the model is the student; null (default) for nowhere.</summary>
    public RefinementFolder? Refinements { get; init; }

    /// <returns>What the samplers became, each when it is asked for, with its number among them.</returns>
    public IEnumerable<(int Index, Sampler Sampler, FittedSchedule Result)> Fit(
        IReadOnlyList<Sampler> samplers, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var fit = new SolverFit(student, model.Denoiser, options, SeedPlan.Searched(seed), embedding)
        { Division = Division, ModelIdentity = model.Identity, Refinements = Refinements };
        List<List<Sampler>> choices = [.. samplers.Select(Candidates)];
        var fits = fit.Fit([.. choices.Select(c => c.Select(s => s.Schedule).ToList())], progress, cancellation);
        foreach (var (index, taken, result) in fits)
        {
            string where = taken == 0 ? "" : $"; on the sigmas of {choices[index][taken].Origin.Schedule}, which end nearer than those of "
                + samplers[index].Origin.Schedule;
            var all = result with
            { Seconds = result.Seconds + (result.TeacherSeconds / samplers.Count), Stop = result.Stop + where };
            yield return (index, new Sampler(all.Schedule, all.Solver) { Origin = Origin(choices[index][taken], all) }, all);
        }
    }

    // The discretization loss says little of where a sampler of two or three steps ends, and less than nothing where a model is worse
    // than its images' mean: Karras' sigmas are tried as well as Phase 1's, and where those end nearer and are more than two, a schedule
    // with more of them at large noise.
    private static List<Sampler> Candidates(Sampler sampler)
    {
        if (sampler.Origin.Source != ScheduleSource.Phase1 || sampler.Steps < 2)
            return [sampler];
        return sampler.Steps == 2 ? [sampler, On(StandardSchedules.Usual)]
            : [sampler, On(StandardSchedules.Usual), On(StandardSchedules.Find("uniform-t"))];

        Sampler On(StandardSchedule schedule) => sampler with
        {
            Schedule = schedule.Create(sampler.Steps, sampler.Schedule.Sigmas[^1], sampler.Schedule.Sigmas[0], sampler.Schedule.Terminal),
            Origin = sampler.Origin with { Schedule = schedule.Name, Source = ScheduleSource.Standard },
        };
    }

    private SamplerOrigin Origin(Sampler sampler, FittedSchedule result) => sampler.Origin.OfSigmas with
    {
        Objective = string.Create(CultureInfo.InvariantCulture,
            $"mean-square distance at the end ({embedding.Name}) to {options.TeacherSteps} steps of {options.TeacherSolver}, held-out "
                + $"latents"),
        Loss = result.HeldOut.Interval,
        Evaluations = result.Evaluations + (sampler.Origin.Evaluations ?? 0),
        ModelHash = model.NetworkHash,
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
