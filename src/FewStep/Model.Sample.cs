using FewStep.Models;
using FewStep.Sampling;

namespace FewStep;

/// <content>Sampling.</content>
public sealed partial class Model
{
    /// <summary>Samples the images of the seeds 0, 1, ...</summary>
    /// <param name="seeds">Number of images, 1 or more.</param>
    /// <param name="sampler">The sampler; null for <see cref="DefaultSampler"/>.</param>
    /// <param name="options">Batch size, label and the like; null for the defaults.</param>
    /// <param name="progress">Told after each batch; null for nobody.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>The images, all in memory; the caller disposes of them.</returns>
    /// <exception cref="InvalidInputException">A value is out of range, or the sigmas leave the model's noise levels.</exception>
    public Samples Sample(int seeds, Sampler? sampler = null, SampleOptions? options = null, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default) =>
        Sample(SeedList.Of(seeds), sampler, options, progress, cancellation);

    /// <summary>Samples the images of a list of seeds, e.g. <c>SeedList.Parse("0-9,20")</c>. An image depends on its seed and label alone,
    /// but for the network's rounding.</summary>
    /// <inheritdoc cref="Sample(int, Sampler, SampleOptions, IProgress{WorkProgress}, CancellationToken)"/>
    public Samples Sample(SeedList seeds, Sampler? sampler = null, SampleOptions? options = null, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(seeds);
        sampler ??= DefaultSampler;
        using var scope = NewDisposeScope();
        var batches = Batches(sampler, options).Sample(seeds, progress, cancellation).ToList();
        var made = cat([.. batches.Select(b => b.Images)]).DetachFromDisposeScope();
        batches.ForEach(b => b.Dispose());
        return new Samples(ImagesOf(made).DetachFromDisposeScope(), Autoencoder is null ? null : made, seeds, sampler,
            (double)batches.Sum(b => b.Evaluations) / seeds.Count);
    }

    /// <summary>Samples on another thread; see
    /// <see cref="Sample(SeedList, Sampler, SampleOptions, IProgress{WorkProgress}, CancellationToken)"/>.</summary>
    /// <inheritdoc cref="Sample(int, Sampler, SampleOptions, IProgress{WorkProgress}, CancellationToken)"/>
    public Task<Samples> SampleAsync(
        SeedList seeds, Sampler? sampler = null, SampleOptions? options = null, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default) =>
        Task.Run(() => Sample(seeds, sampler, options, progress, cancellation), cancellation);

    /// <summary>Samples batch by batch, for more images than memory holds; of a latent model, latents.</summary>
    internal BatchSampler Batches(Sampler sampler, SampleOptions? options)
    {
        Checked(sampler, sampler.Origin.Schedule ?? "of the sampler");
        return new BatchSampler(new SamplingLoop(Denoiser, sampler.Solver, sampler.Schedule, options));
    }
}
