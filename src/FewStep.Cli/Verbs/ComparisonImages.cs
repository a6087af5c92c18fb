using System.CommandLine;
using FewStep.Data;
using FewStep.Metrics;
using FewStep.Platform;

namespace FewStep.Cli.Verbs;

/// <summary>The real images of a comparison. Owns the sets; dispose it.</summary>
/// <param name="Name">Name for people.</param>
/// <param name="Reference">What samples are compared with.</param>
/// <param name="Training">What the model was trained on, for the loss curve and the floor; null where none is given.</param>
internal sealed record ComparisonImages(string Name, IImageSet Reference, IImageSet? Training) : IDisposable
{
    /// <summary>Opens both splits of <c>--data</c>; with <c>--reference</c> that set, and the training split only where <c>--data</c> is given as well.</summary>
    /// <exception cref="InvalidInputException">A set is missing or invalid.</exception>
    public static ComparisonImages Open(MeasurementOptions options, ParseResult parsed, IProgress<WorkProgress> progress, CancellationToken cancellation)
    {
        string data = parsed.GetRequiredValue(options.Data);
        string? reference = parsed.GetValue(options.Reference);
        bool given = parsed.GetResult(options.Data) is { Implicit: false };
        var held = reference is null ? ImageSets.Open(data, DataSplit.Test, progress, cancellation) : ImageSets.Open(reference, null, progress, cancellation);
        try
        {
            // Beside a reference of its own, data need not have splits.
            var training = reference is null ? ImageSets.Open(data, DataSplit.Train, progress, cancellation) : given ? ImageSets.Open(data, null, progress, cancellation) : null;
            return new ComparisonImages(Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(reference ?? data))), held, training);
        }
        catch
        {
            held.Dispose();
            throw;
        }
    }

    /// <summary>Refuses images that the model does not make or the classifier does not take.</summary>
    /// <exception cref="InvalidInputException">The shapes differ.</exception>
    public void CheckFit(Model model, FeatureClassifier classifier)
    {
        var shape = model.Config.Shape;
        foreach (var (what, other) in new[] { ("the classifier takes", classifier.Shape), ("the reference images are", Reference.Shape), ("the training images are", Training?.Shape ?? shape) })
        {
            if (other != shape)
            {
                throw new InvalidInputException($"The model makes images of {shape}, but {what} {other}; choose a --classifier and --data of that shape.");
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Reference.Dispose();
        Training?.Dispose();
    }
}
