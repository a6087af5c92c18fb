using FewStep.Noise;
using FewStep.Solvers;

namespace FewStep.Sampling;

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
        return Residuals(solver, schedule, cancellation, student).to(float64).Squared().mean([1]).cpu().data<double>().ToArray();
    }

    public void Dispose() => _teacher.Dispose();
}
