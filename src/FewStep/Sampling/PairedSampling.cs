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

/// <summary>Compares samplers with a fine teacher, image by image: both start at the latents of the same seeds. Owns the teacher's
/// images.</summary>
internal sealed class PairedComparison : IDisposable
{
    private readonly PairedSampling _sampling;
    private readonly SeedList _seeds;
    private readonly Tensor _teacher; // [B,C,H,W]

    private PairedComparison(PairedSampling sampling, SeedList seeds, Tensor teacher)
        => (_sampling, _seeds, _teacher) = (sampling, seeds, teacher);

    /// <summary>Runs the teacher: Heun's method on Karras' schedule.</summary>
    public static PairedComparison WithHeun(
        PairedSampling sampling, SeedList seeds, double sigmaMin, double sigmaMax, ScheduleTerminal terminal, int steps,
        CancellationToken cancellation)
    {
        var fine = StandardSchedule.Karras().Create(steps, sigmaMin, sigmaMax, terminal);
        return new(sampling, seeds, sampling.Endpoints(new HeunSolver(), fine, seeds, cancellation).DetachFromDisposeScope());
    }

    /// <summary>Samples both sides and compares them, batch by batch.</summary>
    public static (double MeanRootMeanSquare, long Evaluations) Measure(
        SamplingLoop student, SamplingLoop teacher, IReadOnlyList<long> seeds, int batchSize, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        IEnumerable<SampledBatch> Batches(SamplingLoop loop)
            => new BatchSampler(loop) { BatchSize = batchSize }.Sample(seeds, progress, cancellation);
        long evaluations = 0;
        var distance = new PairedDistance();
        foreach (var (a, b) in Batches(student).Zip(Batches(teacher)))
        {
            using (a)
            using (b)
            {
                evaluations += a.Evaluations + b.Evaluations;
                distance.Add(a.Images, b.Images);
            }
        }

        return (distance.MeanRootMeanSquare, evaluations);
    }

    /// <summary>Differences of the ends of a sampler from the teacher's, [images, values], float32; they belong to the current dispose
    /// scope.</summary>
    public Tensor Residuals(ISolver solver, SamplingSchedule schedule, CancellationToken cancellation, PairedSampling? student = null)
    {
        using var scope = NewDisposeScope();
        var ends = (student ?? _sampling).Endpoints(solver, schedule, _seeds, cancellation);
        return (ends - _teacher).flatten(1).MoveToOuterDisposeScope();
    }

    /// <summary>Each image's mean-square difference of a value; see <see cref="Residuals"/>.</summary>
    public double[] MeanSquares(ISolver solver, SamplingSchedule schedule, CancellationToken cancellation, PairedSampling? student = null)
    {
        using var scope = NewDisposeScope();
        return PairedDistance.MeanSquares(Residuals(solver, schedule, cancellation, student));
    }

    public void Dispose() => _teacher.Dispose();
}
