using System.Diagnostics;
using FewStep.Metrics;
using FewStep.Sampling;
using static TorchSharp.torch;

namespace FewStep.Experiments;

/// <summary>Samples one seed range under one combination and measures it: distance to real images, distance to a teacher's endpoints, or both on the same images.</summary>
/// <param name="evaluation">The distance to real images; null to leave it out.</param>
/// <param name="batchSize">Images sampled at a time, 1 or more.</param>
internal sealed class RangeMeasurement(FrechetEvaluation? evaluation, int batchSize)
{
    /// <summary>Measures.</summary>
    /// <param name="cell">The combination.</param>
    /// <param name="range">The seeds.</param>
    /// <param name="endpoints">The teacher's images of these seeds, [range.Count,C,H,W]; null to measure no endpoint distance. Not changed and not disposed.</param>
    /// <param name="sampled">Told the images of each batch.</param>
    /// <param name="cancellation">Stops between solver steps.</param>
    /// <exception cref="Platform.InvalidInputException">A sample is not finite.</exception>
    public RangeResult Measure(ComparisonCell cell, SeedRange range, Tensor? endpoints, Action<int> sampled, CancellationToken cancellation)
    {
        var watch = Stopwatch.StartNew();
        long evaluations = 0;
        int done = 0;
        var paired = endpoints is null ? null : new PairedDistance();
        var batches = new BatchSampler(new SamplingLoop(cell.Denoiser, cell.Solver, cell.Schedule)) { BatchSize = batchSize };
        Tensor Sample(long[] seeds)
        {
            var batch = batches.Sample(seeds, cancellationToken: cancellation).Single();
            batch.Labels?.Dispose();
            evaluations += batch.Evaluations;
            if (paired is not null)
            {
                using var partners = endpoints!.narrow(0, done, seeds.Length);
                paired.Add(batch.Images, partners);
            }

            done += seeds.Length;
            sampled(seeds.Length);
            return batch.Images;
        }

        double? distance = null;
        if (evaluation is not null)
        {
            distance = evaluation.Evaluate([range], Sample, batchSize, cancellation: cancellation).Spread.Mean;
        }
        else
        {
            foreach (long[] seeds in range.Batches(batchSize))
            {
                cancellation.ThrowIfCancellationRequested();
                using var images = Sample(seeds);
            }
        }

        return new RangeResult(distance, paired?.MeanRootMeanSquare, evaluations, watch.Elapsed.TotalSeconds);
    }
}

/// <summary>What <see cref="RangeMeasurement"/> measured.</summary>
/// <param name="Distance">Distance to real images; null where it was left out.</param>
/// <param name="Endpoint">Mean root-mean-square distance to the teacher's endpoints; null where it was left out.</param>
/// <param name="NetworkEvaluations">Network evaluations that were counted, one for each image.</param>
/// <param name="Seconds">Wall-clock seconds of sampling and features.</param>
internal sealed record RangeResult(double? Distance, double? Endpoint, long NetworkEvaluations, double Seconds);
