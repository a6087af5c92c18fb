using FewStep.Runtime;
using static TorchSharp.torch;

namespace FewStep.Sampling;

/// <summary>Samples the images of many seeds in batches. An image depends on its seed and label, and on the batch size only as far as the network's rounding does.</summary>
/// <param name="sampler">Samples one batch.</param>
public sealed class BatchSampler(Sampler sampler)
{
    /// <summary>Images in a batch, above 0; default 64.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>One label for all images, -1 for "no class"; null (default) for seed mod classes.</summary>
    public long? Label { get; init; }

    /// <summary>Type of the solver's state: float32 (default) or float64.</summary>
    public ScalarType Type { get; init; } = ScalarType.Float32;

    /// <summary>Where to sample; null (default) for the CPU.</summary>
    public Device? Device { get; init; }

    /// <summary>Samples the images of the seeds, batch by batch, each when it is asked for.</summary>
    /// <param name="seeds">Image seeds.</param>
    /// <param name="progress">Told after each batch; null for none.</param>
    /// <param name="cancellationToken">Stops between two steps.</param>
    /// <returns>Batches that together hold each seed once, in the order given; the receiver disposes of each.</returns>
    /// <exception cref="InvalidInputException">The batch size, the label or a seed is out of range.</exception>
    /// <exception cref="OperationCanceledException">The work was stopped.</exception>
    public IEnumerable<SampledBatch> Sample(IReadOnlyList<long> seeds, IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        if (BatchSize < 1)
        {
            throw new InvalidInputException($"The batch size is {BatchSize}; it must be 1 or more.");
        }

        SeedLabels.CheckLabel(sampler.Classes, Label);
        return Batches(seeds, progress, cancellationToken);
    }

    private IEnumerable<SampledBatch> Batches(IReadOnlyList<long> seeds, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        long evaluations = 0;
        for (int start = 0; start < seeds.Count; start += BatchSize)
        {
            int count = Math.Min(BatchSize, seeds.Count - start);
            var batch = SampleBatch([.. Enumerable.Range(start, count).Select(i => seeds[i])], cancellationToken);
            evaluations += batch.Evaluations;
            progress?.Report(new WorkProgress("sampling", start + count, seeds.Count, "img", $"{evaluations} evaluations"));
            yield return batch;
        }
    }

    private SampledBatch SampleBatch(long[] seeds, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var latents = Latents.Draw(seeds, sampler.Shape, Type, Device);
        var labels = SeedLabels.For(seeds, sampler.Classes, Label, Device);
        var result = sampler.Sample(latents, labels, cancellationToken: cancellationToken);
        return new SampledBatch(seeds, result.Samples.MoveToOuterDisposeScope(), labels?.MoveToOuterDisposeScope(), result.Evaluations);
    }
}
