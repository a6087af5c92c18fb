using FewStep.Sampling;
using FewStep.Shards;
using FewStep.Solvers;

namespace FewStep.Fitting;

/// <summary>Fits samplers to a model: their sigmas stay, their solver becomes the one that is fitted on them.</summary>
/// <param name="model">The teacher.</param>
/// <param name="student">Who steps: the model, or what it was tuned to. Not disposed.</param>
internal sealed class SamplerFit(Model model, IDenoiser student, FitOptions options, long seed, IImageEmbedding embedding)
{
    // With so few steps the discretization loss says little of where a sampler ends, and Karras' sigmas are tried as well.
    private const int FewSteps = 3;

    /// <summary>The stage of divided work that the fit is; null (default) for all of it.</summary>
    public Division? Division { get; init; }

    /// <returns>What the samplers became, each when it is asked for, with its number among them.</returns>
    public IEnumerable<(int Index, Sampler Sampler, FittedSchedule Result)> Fit(
        IReadOnlyList<Sampler> samplers, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var fit = new SolverFit(student, model.Denoiser, options, SeedPlan.Searched(seed), embedding)
        { Division = Division, ModelIdentity = model.Identity };
        List<(int Index, Sampler Sampler)> tried = [.. samplers.SelectMany((sampler, i) => Candidates(sampler).Select(c => (i, c)))];
        var found = samplers.Select(_ => new List<(Sampler Sampler, FittedSchedule Result)>()).ToArray();
        foreach (var (number, result) in fit.Fit([.. tried.Select(t => t.Sampler.Schedule)], progress, cancellation))
        {
            var (index, sampler) = tried[number];
            found[index].Add((sampler, result));
            if (found[index].Count < tried.Count(t => t.Index == index))
                continue;
            var best = found[index].MinBy(f => f.Result.HeldOut.Value);
            long further = found[index].Sum(f => f.Result.Evaluations - f.Result.TeacherEvaluations);
            string where = ReferenceEquals(best.Sampler, samplers[index]) ? ""
                : $"; on the sigmas of {best.Sampler.Origin.Schedule}, which end nearer than those of {samplers[index].Origin.Schedule}";
            var all = best.Result with
            {
                Evaluations = best.Result.TeacherEvaluations + further,
                Seconds = found[index].Sum(f => f.Result.Seconds),
                Stop = best.Result.Stop + where,
            };
            yield return (index, new Sampler(all.Schedule, all.Solver) { Origin = Origin(best.Sampler, all) }, all);
        }
    }

    private static IEnumerable<Sampler> Candidates(Sampler sampler)
    {
        var sigmas = sampler.Schedule.Sigmas;
        return sampler.Origin.Source != ScheduleSource.Phase1 || sampler.Steps is < 2 or > FewSteps ? [sampler] :
        [
            sampler,
            sampler with
            {
                Schedule = StandardSchedules.Usual.Create(sampler.Steps, sigmas[^1], sigmas[0], sampler.Schedule.Terminal),
                Origin = sampler.Origin with { Schedule = StandardSchedules.Usual.Name, Source = ScheduleSource.Standard },
            },
        ];
    }

    private SamplerOrigin Origin(Sampler sampler, FittedSchedule result) => sampler.Origin with
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
