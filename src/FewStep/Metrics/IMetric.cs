namespace FewStep.Metrics;

/// <summary>Judges images: by features of real images, by what a fine teacher makes of the same latents, or alone. One metric may give
/// several figures (precision, recall, ...).</summary>
public interface IMetric
{
    /// <summary>What it gives, in the order of <see cref="IMetricMeasurement.Finish"/>; keys are unique among all metrics.</summary>
    IReadOnlyList<MetricFigure> Figures { get; }

    /// <summary>All that determines the figures beside the images, as text: weights, reference, options. Stored measurements are found by
    /// it.</summary>
    string Identity { get; }

    /// <summary>Whether images are compared with real ones, so that other real images show what can be reached.</summary>
    bool ComparesWithRealImages { get; }

    /// <summary>Begins to measure one set of images.</summary>
    /// <param name="images">Images that will come, 2 or more.</param>
    /// <param name="seeds">The seeds they are sampled from; null for stored images.</param>
    /// <returns>Takes the images; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">The metric needs what such images have not.</exception>
    IMetricMeasurement Begin(int images, SeedRange? seeds);
}

/// <summary>A set of images under measurement.</summary>
public interface IMetricMeasurement : IDisposable
{
    /// <summary>Takes a batch.</summary>
    /// <param name="batch">The images in the order of their seeds; stay the caller's.</param>
    /// <exception cref="InvalidInputException">An image is not finite or has another shape.</exception>
    void Add(MeasuredImages batch);

    /// <summary>The figures of all images that came.</summary>
    /// <param name="cancellation">Stops between parts of the work.</param>
    /// <exception cref="InvalidInputException">There were too few images.</exception>
    IReadOnlyList<MetricValue> Finish(CancellationToken cancellation);
}

/// <summary>A metric that can be measured on parts of a range of seeds: their sums are joined to those of the range.</summary>
internal interface IJoinableMetric : IMetric
{
    /// <summary>Begins to measure some consecutive images of a range.</summary>
    /// <param name="whole">The range.</param>
    /// <param name="part">Those of its images that will come, or whose sums will.</param>
    IJoinableMeasurement Begin(SeedRange whole, SeedRange part);
}

/// <summary>A measurement that takes images, or the sums of images that others have measured.</summary>
internal interface IJoinableMeasurement : IMetricMeasurement
{
    /// <summary>What is kept of the images that came.</summary>
    /// <returns>Tensors by name, which belong to the current dispose scope.</returns>
    IReadOnlyDictionary<string, Tensor> Sums();

    /// <summary>Takes the sums of images that follow those that came.</summary>
    /// <param name="sums">What <see cref="Sums"/> gave; stay the caller's.</param>
    /// <exception cref="InvalidInputException">They are not of this metric.</exception>
    void Join(IReadOnlyDictionary<string, Tensor> sums);
}

/// <summary>Reads sums, which come from files.</summary>
internal static class JoinedSums
{
    /// <summary>One of them, which must have a type and a shape; -1 stands for any length.</summary>
    public static Tensor Sum(this IReadOnlyDictionary<string, Tensor> sums, string name, ScalarType type, params ReadOnlySpan<long> shape)
    {
        bool fits = sums.TryGetValue(name, out var sum) && sum.dtype == type && sum.dim() == shape.Length;
        for (int i = 0; i < shape.Length && fits; i++)
            fits = shape[i] < 0 || sum!.shape[i] == shape[i];
        return fits ? sum! : throw new InvalidInputException(
            $"A part holds no sums '{name}' that fit this metric; remove the part and run its shard again.");
    }

    /// <summary>Numbers as a sum of float64.</summary>
    public static Tensor Of(params double[] values) => tensor(values, ScalarType.Float64);
}

/// <summary>A figure that a metric gives.</summary>
/// <param name="Key">Name in files and options, e.g. <c>fd</c> or <c>precision</c>.</param>
/// <param name="Name">Full name with the features it is measured on, e.g. <c>FD (fashion features)</c>.</param>
/// <param name="ShortName">Name for columns, e.g. <c>FD</c>.</param>
/// <param name="Description">What it means, in a sentence or two.</param>
/// <param name="HigherIsBetter">Whether higher values are better.</param>
/// <param name="FeatureHash">Hash of the feature network; null where there is none.</param>
/// <param name="ReferenceHash">Hash of the images (or of the sampler) that is compared with; null where there are none.</param>
/// <param name="ReferenceImages">Number of reference images; null where unknown.</param>
public sealed record MetricFigure(string Key, string Name, string ShortName, string Description, bool HigherIsBetter,
    string? FeatureHash = null, string? ReferenceHash = null, long? ReferenceImages = null);

/// <summary>A figure's value for one set of images.</summary>
/// <param name="Value">The value; finite.</param>
/// <param name="InnerDeviation">Standard deviation within the set (random subsets, parts of a score); null where the metric has
/// none.</param>
public sealed record MetricValue(double Value, double? InnerDeviation = null);
