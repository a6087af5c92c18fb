using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tuning;

/// <summary>Solves the probability-flow ODE finely and tells the states at the sigmas of a coarse schedule.</summary>
internal sealed class TeacherPath
{
    private readonly SamplingLoop _sampler;
    private readonly SamplingSchedule _schedule;

    public TeacherPath(IDenoiser denoiser, SamplingSchedule schedule, ISolver solver, int substeps)
    {
        // With the terminal rule zero the coarse path jumps from s_N to its end; the teacher goes on to the model's smallest sigma in steps
        // first.
        bool goesOn = schedule.Terminal == ScheduleTerminal.Zero && schedule.Sigmas[^1] > 1.01 * denoiser.SigmaMin;
        double[] nodes = [.. schedule.Sigmas, .. goesOn ? [denoiser.SigmaMin] : Array.Empty<double>()];
        var fine = nodes.Zip(nodes.Skip(1), (s, next) => StandardSchedule.Karras().Create(substeps, next, s).Sigmas.Take(substeps))
            .SelectMany(s => s);
        _sampler = new SamplingLoop(denoiser, solver, new SamplingSchedule([.. fine, nodes[^1]], schedule.Terminal));
        (_schedule, Substeps) = (schedule, substeps);
    }

    public SamplingSchedule Fine => _sampler.Schedule;
    public int Substeps { get; }

    /// <param name="latents">Unit noise [B,C,H,W].</param>
    /// <param name="labels">int64 [B] or null.</param>
    /// <returns>The states at the N+1 sigmas, and where the terminal rule is zero the end as well; they belong to the current dispose
    /// scope.</returns>
    public Tensor[] Solve(Tensor latents, Tensor? labels, CancellationToken cancellation)
    {
        var all = SolveFinely(latents, labels, cancellation);
        return [.. Enumerable.Range(0, _schedule.Steps + 1).Select(i => all[i * Substeps]),
            .. Fine.Terminal == ScheduleTerminal.Zero ? [all[^1]] : Array.Empty<Tensor>()];
    }

    /// <summary>The same at all sigmas of <see cref="Fine"/>.</summary>
    public Tensor[] SolveFinely(Tensor latents, Tensor? labels, CancellationToken cancellation)
    {
        using var path = new Trajectory();
        var end = _sampler.Sample(latents, labels, path.Record, cancellation).Samples;
        Tensor[] states = [.. path.States.Select(x => x.alias())];
        if (Fine.Terminal == ScheduleTerminal.Zero)
            return [.. states, end];
        end.Dispose();
        return states;
    }
}
