using FewStep.Data;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>A Fréchet distance with its spread over disjoint ranges. It falls with the number of samples (a bias of the estimator), so only values at the same number compare.</summary>
/// <param name="Metric">Display name, e.g. <c>FD (fashion features)</c>.</param>
/// <param name="SamplesPerRange">Images in each range.</param>
/// <param name="Spread">The distance of each range, mean and standard deviation.</param>
/// <param name="ReferenceImages">Number of reference images.</param>
/// <param name="ReferenceHash">Hash of the reference images.</param>
/// <param name="ExtractorHash">Hash of the feature network.</param>
public sealed record FrechetResult(string Metric, int SamplesPerRange, SeedRangeSpread Spread, long ReferenceImages, string ReferenceHash, string ExtractorHash);

/// <summary>Measures Fréchet distances of generated or real images to reference statistics.</summary>
/// <remarks>Samples are clipped and rounded to 8 bits first (<see cref="PixelScale.RoundTrip"/>): the distance is that of the images a user would save.</remarks>
public sealed class FrechetEvaluation
{
    private readonly IFeatureExtractor _extractor;
    private readonly ReferenceStatistics _reference;

    /// <summary>Creates an evaluation.</summary>
    /// <param name="extractor">The feature network; not owned.</param>
    /// <param name="reference">Statistics by the same network; not owned.</param>
    /// <exception cref="InvalidInputException">The statistics were made by another network.</exception>
    public FrechetEvaluation(IFeatureExtractor extractor, ReferenceStatistics reference)
    {
        ArgumentNullException.ThrowIfNull(extractor);
        ArgumentNullException.ThrowIfNull(reference);
        if (reference.ExtractorHash != extractor.Hash || reference.Statistics.Dimension != extractor.Dimension)
        {
            throw new InvalidInputException($"The reference statistics were made by another feature network than '{extractor.Name}'; measure them again.");
        }

        (_extractor, _reference) = (extractor, reference);
    }

    /// <summary>The statistics of the real images; not owned.</summary>
    public ReferenceStatistics Reference => _reference;

    /// <summary>The feature network; not owned.</summary>
    public IFeatureExtractor Extractor => _extractor;

    /// <summary>Samples the images of each seed range and measures their distance to the reference.</summary>
    /// <param name="ranges">Disjoint ranges of one size, at least one of two or more images.</param>
    /// <param name="sample">Makes the images of some seeds, [B,C,H,W] in the order of the seeds; disposed here.</param>
    /// <param name="batch">Images at a time, 1 or more. Default 100.</param>
    /// <param name="progress">Told the images done; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="ArgumentException">The ranges overlap or differ in size, or a batch of samples has another shape.</exception>
    /// <exception cref="InvalidInputException">A sample is not finite.</exception>
    public FrechetResult Evaluate(IReadOnlyList<SeedRange> ranges, Func<long[], Tensor> sample, int batch = 100, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(ranges);
        ArgumentNullException.ThrowIfNull(sample);
        CheckRanges(ranges);
        var distances = new List<double>();
        long done = 0, total = ranges.Sum(r => (long)r.Count);
        foreach (var range in ranges)
        {
            using var statistics = new FeatureStatistics(_extractor.Dimension);
            foreach (long[] seeds in range.Batches(batch))
            {
                cancellation.ThrowIfCancellationRequested();
                AddSamples(statistics, sample, seeds);
                done += seeds.Length;
                progress?.Report(new("samples", done, total, "img"));
            }

            distances.Add(FrechetDistance.Between(statistics, _reference.Statistics));
        }

        return Result(ranges[0].Count, distances);
    }

    /// <summary>Measures what real images differ from the reference by: the distance of disjoint random subsets of them, usually of training images. A sampler near it is as close as other real images are.</summary>
    /// <param name="images">Real images other than those of the reference.</param>
    /// <param name="subsets">The subsets, at least one, each as large as the ranges of samples that the floor is compared with.</param>
    /// <param name="progress">Told the images done; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="ArgumentException">There is no subset.</exception>
    /// <exception cref="InvalidInputException">The images do not fit the extractor.</exception>
    public FrechetResult Floor(IImageSet images, RealSubsets subsets, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(subsets);
        if (subsets.Indices.Count == 0)
        {
            throw new ArgumentException("There must be at least one subset.", nameof(subsets));
        }

        var distances = new List<double>();
        foreach (int[] subset in subsets.Indices)
        {
            using var statistics = new FeatureStatistics(_extractor.Dimension);
            ImageFeatures.Add(statistics, images, subset, _extractor, 250, progress, cancellation);
            distances.Add(FrechetDistance.Between(statistics, _reference.Statistics));
        }

        return Result(subsets.Indices[0].Length, distances);
    }

    private static void CheckRanges(IReadOnlyList<SeedRange> ranges)
    {
        if (ranges.Count == 0 || ranges.Any(r => r.Count != ranges[0].Count) || ranges[0].Count < 2)
        {
            throw new ArgumentException("There must be at least one seed range, all of one size, of two or more images.", nameof(ranges));
        }

        var ordered = ranges.OrderBy(r => r.First).ToList();
        for (int i = 1; i < ordered.Count; i++)
        {
            if (ordered[i].First < ordered[i - 1].First + ordered[i - 1].Count)
            {
                throw new ArgumentException($"Seed ranges must be disjoint: {ordered[i - 1]} and {ordered[i]} overlap.", nameof(ranges));
            }
        }
    }

    private void AddSamples(FeatureStatistics statistics, Func<long[], Tensor> sample, long[] seeds)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var images = sample(seeds);
        if (!images.shape.AsSpan().SequenceEqual(_extractor.Shape.Batch(seeds.Length)))
        {
            throw new ArgumentException($"The samples have shape [{string.Join(",", images.shape)}]; {seeds.Length} images of {_extractor.Shape} are due.", nameof(sample));
        }

        statistics.Add(_extractor.Extract(PixelScale.RoundTrip(images)));
        images.Dispose(); // it may come from outside this scope
    }

    private FrechetResult Result(int samplesPerRange, List<double> distances) =>
        new(_extractor.Name, samplesPerRange, SeedRangeSpread.Of(distances), _reference.Statistics.Count, _reference.ImageSetHash, _reference.ExtractorHash);
}
