using System.CommandLine;
using FewStep.Data;
using FewStep.Metrics;
using FewStep.Platform;

namespace FewStep.Cli.Verbs;

/// <summary>What metrics compare with: images, or a file of statistics, or nothing. Owns the images; dispose it.</summary>
internal sealed class ReferencePlace : IDisposable
{
    private const string StatisticsExtension = ".npz";
    private readonly string? _statistics;
    private readonly IImageSet? _images;

    private ReferencePlace(string? name, string? statistics, IImageSet? images) => (Name, _statistics, _images) = (name, statistics, images);

    /// <summary>Path of the reference; null where there is none.</summary>
    public string? Name { get; }

    /// <summary>Opens <c>--reference</c>; left out, the test split of <c>--data</c>.</summary>
    /// <param name="options">The options.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="needed">Whether any metric compares.</param>
    /// <param name="terminal">Told how far it has come.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="InvalidInputException">It is missing or damaged, or stored images are to be compared and nothing says with what.</exception>
    public static ReferencePlace Open(EvaluateOptions options, ParseResult parsed, bool needed, IProgress<WorkProgress> terminal, CancellationToken cancellation)
    {
        if (!needed)
        {
            return new ReferencePlace(null, null, null);
        }

        if (parsed.GetValue(options.Reference) is { } reference)
        {
            return reference.EndsWith(StatisticsExtension, StringComparison.OrdinalIgnoreCase) && File.Exists(reference)
                ? new ReferencePlace(reference, reference, null)
                : new ReferencePlace(reference, null, ImageSets.Open(reference, null, terminal, cancellation));
        }

        bool given = parsed.GetResult(options.Data) is { Implicit: false };
        if (parsed.GetValue(options.Metrics.Images) is not null && !given)
        {
            throw new InvalidInputException("Nothing to compare the images with: give --reference with images or a statistics file (.npz), or --data with a test split.");
        }

        string data = parsed.GetRequiredValue(options.Data);
        return new ReferencePlace(data, null, ImageSets.Open(data, DataSplit.Test, terminal, cancellation));
    }

    /// <summary>The reference's features.</summary>
    /// <param name="extractor">The feature network.</param>
    /// <param name="metrics">What they are for.</param>
    /// <param name="options">How metrics are computed.</param>
    /// <param name="batch">Images at a time.</param>
    /// <param name="progress">Told how far it has come.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The features; the caller owns them.</returns>
    /// <exception cref="InvalidInputException">The reference does not fit or does not suffice.</exception>
    public MetricReference Features(IClassScorer extractor, IReadOnlyCollection<ImageMetric> metrics, MetricOptions options, int batch, IProgress<WorkProgress> progress, CancellationToken cancellation) =>
        metrics.All(m => m == ImageMetric.ClassScore) ? MetricReference.None()
        : _images is not null ? MetricReference.Measure(_images, extractor, metrics, options, batch, progress, cancellation)
        : MetricReference.FromFile(_statistics!, extractor, metrics);

    /// <inheritdoc/>
    public void Dispose() => _images?.Dispose();
}
