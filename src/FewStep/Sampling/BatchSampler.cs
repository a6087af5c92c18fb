namespace FewStep.Sampling;

/// <summary>Samples the images of many seeds in batches. An image depends on its seed and label, and on the batch size only as far as the
/// network's rounding does.</summary>
internal sealed class BatchSampler(IBatchSource sampler, SampleOptions options)
{
    public BatchSampler(SamplingLoop loop)
        : this(loop, loop.Options)
    {
    }

    /// <summary>Images in a batch, above 0; default that of the options.</summary>
    public int BatchSize { get; init; } = options.BatchSize;

    /// <summary>One label for all images, -1 for "no class", null for seed mod classes; default that of the options.</summary>
    public long? Label { get; init; } = options.Label;

    /// <summary>Type of the solver's state: float32 (default) or float64.</summary>
    public ScalarType Type { get; init; } = ScalarType.Float32;

    /// <summary>Samples the images of the seeds, batch by batch, each when it is asked for.</summary>
    /// <returns>Batches that together hold each seed once, in the order given; the receiver disposes of each.</returns>
    public IEnumerable<SampledBatch> Sample(
        IReadOnlyList<long> seeds, IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        Check();
        return Batches(seeds.Count,
            (start, count) => SampleBatch([.. Enumerable.Range(start, count).Select(i => seeds[i])], cancellationToken), progress);
    }

    /// <summary>Samples from given latents, batch by batch, each when it is asked for. The seeds of the images are their numbers 0, 1, ...,
    /// which labels and added noise follow.</summary>
    /// <param name="latents">Unit noise [B,C,H,W], float32 or float64, whose type the solver's state keeps (<see cref="Type"/> is not
    /// looked at); stays the caller's.</param>
    /// <param name="labels">Class indices int64 [B], -1 for "no class"; null for <see cref="Label"/>. Stays the caller's.</param>
    /// <returns>Batches that together hold each image once, in order; the receiver disposes of each.</returns>
    public IEnumerable<SampledBatch> Sample(
        Tensor latents, Tensor? labels, IProgress<WorkProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        Check();
        int images = (int)latents.shape[0];
        if (labels is not null && (labels.dim() != 1 || labels.shape[0] != images))
        {
            throw new ArgumentException(
                $"Labels have shape [{string.Join(", ", labels.shape)}]; there are {images} latents.", nameof(labels));
        }

        return Batches(images, (start, count) => SampleBatch(latents, labels, start, count, cancellationToken), progress);
    }

    private IEnumerable<SampledBatch> Batches(int images, Func<int, int, SampledBatch> sample, IProgress<WorkProgress>? progress)
    {
        long evaluations = 0;
        for (int start = 0; start < images; start += BatchSize)
        {
            int count = Math.Min(BatchSize, images - start);
            var batch = sample(start, count);
            evaluations += batch.Evaluations;
            progress?.Report(new WorkProgress("sampling", start + count, images, "img", $"{evaluations} evaluations"));
            yield return batch;
        }
    }

    private SampledBatch SampleBatch(long[] seeds, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        var latents = Latents.Draw(seeds, sampler.Shape, Type, sampler.Device);
        return SampleBatch(seeds, latents, SeedLabels.For(seeds, sampler.Classes, Label, sampler.Device), cancellationToken);
    }

    private SampledBatch SampleBatch(Tensor latents, Tensor? labels, int start, int count, CancellationToken cancellationToken)
    {
        using var scope = NewDisposeScope();
        long[] seeds = [.. Enumerable.Range(start, count).Select(i => (long)i)];
        var own = labels is null ? SeedLabels.For(seeds, sampler.Classes, Label, sampler.Device) : labels.narrow(0, start, count).clone();
        return SampleBatch(seeds, HostCopy.To(latents.narrow(0, start, count), sampler.Device),
            own is null ? null : HostCopy.To(own, sampler.Device), cancellationToken);
    }

    private void Check()
    {
        if (BatchSize < 1)
            throw new InvalidInputException($"The batch size is {BatchSize}; it must be 1 or more.");
        SeedLabels.CheckLabel(sampler.Classes, Label);
    }

    private SampledBatch SampleBatch(long[] seeds, Tensor latents, Tensor? labels, CancellationToken cancellationToken)
    {
        var result = sampler.Sample(latents, seeds, labels, cancellationToken);
        return new SampledBatch(seeds, result.Samples.MoveToOuterDisposeScope(), labels?.MoveToOuterDisposeScope(), result.Evaluations);
    }
}
