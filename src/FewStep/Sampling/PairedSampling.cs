using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Solvers;

namespace FewStep.Sampling;

/// <summary>Runs solvers from the same latents, batch by batch, for searches that compare a sampler with a fine teacher. It counts the
/// network evaluations of one search.</summary>
internal sealed class PairedSampling(IDenoiser denoiser, int batchSize = 64)
{
    private readonly CountingDenoiser _denoiser = new(denoiser);

    public IDenoiser Denoiser => _denoiser;

    /// <summary>Network evaluations since this object was made.</summary>
    public long Evaluations => _denoiser.Images;

    /// <summary>The ends of the runs of all seeds.</summary>
    /// <returns>Images [B,C,H,W], float32, which belong to the current dispose scope.</returns>
    public Tensor Endpoints(ISolver solver, SamplingSchedule schedule, SeedList seeds, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var ends = new List<Tensor>();
        Sample(solver, schedule, seeds, null, ends.Add, cancellation);
        return cat(ends).MoveToOuterDisposeScope();
    }

    /// <summary>Visits the trajectories of all seeds, a batch at a time, so that memory does not grow with the number of seeds.</summary>
    public void Trajectories(
        ISolver solver, SamplingSchedule schedule, SeedList seeds, Action<Trajectory> visit, IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        int done = 0;
        Trajectory? path = null;
        try
        {
            Sample(
                solver,
                schedule,
                seeds,
                point => (path ??= new Trajectory()).Record(point),
                end =>
                {
                    using var scope = NewDisposeScope();
                    visit(path!);
                    path!.Dispose();
                    path = null;
                    done += (int)end.shape[0];
                    end.Dispose();
                    progress?.Report(new WorkProgress("teacher trajectories", done, seeds.Count, "img"));
                },
                cancellation);
        }
        finally
        {
            path?.Dispose();
        }
    }

    private void Sample(
        ISolver solver, SamplingSchedule schedule, SeedList seeds, Action<TrajectoryPoint>? observe, Action<Tensor> received,
        CancellationToken cancellation)
    {
        using var inference = no_grad();
        var sampler = new SamplingLoop(_denoiser, solver, schedule);
        for (int start = 0; start < seeds.Count; start += batchSize)
        {
            long[] some = [.. seeds.Skip(start).Take(batchSize)];
            using var latents = Latents.Draw(some, sampler.Shape, device: sampler.Device);
            using var labels = SeedLabels.For(some, sampler.Classes, device: sampler.Device);
            var end = sampler.Sample(latents, labels, observe, cancellation).Samples;
            using Tensor each = end.isfinite(), finite = each.all();
            if (!finite.item<bool>())
            {
                throw new InvalidInputException(
                    $"A sample of solver {solver.Name} on the schedule {schedule} is not finite: check that checkpoint and preconditioning "
                        + "belong together.");
            }

            received(end);
        }
    }
}
