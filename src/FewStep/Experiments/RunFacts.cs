using FewStep.Models;
using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Metrics;
using FewStep.Platform;
using FewStep.Search;

namespace FewStep.Experiments;

/// <summary>The parts of a <see cref="RunSummary"/> that describe what went into a run.</summary>
public static class RunFacts
{
    /// <summary>A model.</summary>
    /// <param name="model">The model.</param>
    internal static ModelSummary Of(ModelSource model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return new ModelSummary
        {
            Name = model.Config.Name,
            Hash = model.Hash,
            Parameters = model.Denoiser.Layout.Count,
            Preconditioning = model.Config.Preconditioning.Kind,
            Shape = model.Config.Shape,
            Classes = model.Config.Classes,
        };
    }

    /// <summary>A measured loss curve, with the fit that searches use.</summary>
    /// <param name="curve">The curve.</param>
    public static LossCurveSummary Of(LossCurve curve)
    {
        ArgumentNullException.ThrowIfNull(curve);
        return new LossCurveSummary
        {
            Points = [.. curve.Sigmas.Select((sigma, k) => new LossPointSummary(sigma, curve.Loss[k], curve.Point(k).Low!.Value, curve.Point(k).High!.Value, curve.Fitted.Loss(sigma)))],
            ImagesPerPoint = curve.Images,
            Confidence = curve.Confidence,
        };
    }

    /// <summary>The metric, and its floor where there are real images to measure it on.</summary>
    /// <param name="evaluation">The metric.</param>
    /// <param name="training">Real images other than the reference; null where there are none.</param>
    /// <param name="images">Images in a seed range of the comparison, 2 or more.</param>
    /// <param name="ranges">Number of seed ranges, 1 or more: as many disjoint subsets are measured as there are images for.</param>
    /// <param name="seed">Seed of the choice.</param>
    /// <param name="progress">Told the images done; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>The metric, and a sentence about what is lacking; null where nothing is.</returns>
    /// <exception cref="InvalidInputException">The images do not fit the feature network.</exception>
    public static (MetricSummary Metric, string? Remark) Of(
        FrechetEvaluation evaluation,
        IImageSet? training,
        int images,
        int ranges,
        long seed,
        IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(evaluation);
        string name = evaluation.Extractor.Name;
        string network = evaluation.Extractor is InceptionFeatures inception ? inception.FeatureName : "a classifier of the same data";
        var metric = new MetricSummary
        {
            Name = name,
            ShortName = name.Split(" (")[0],
            FeatureHash = evaluation.Reference.ExtractorHash,
            ReferenceHash = evaluation.Reference.ImageSetHash,
            Description = FormattableString.Invariant(
                $"Fréchet distance between {images:N0} samples and {evaluation.Reference.Statistics.Count:N0} real images on {evaluation.Extractor.Dimension} features of {network}; lower is better. It falls with the number of samples, and it is not comparable with distances on other features."),
        };
        var subsets = training is null ? null : RealSubsets.Choose(training, images, ranges, seed);
        if (subsets is null || subsets.Indices.Count == 0)
        {
            string reason = training is null ? "there are no real images beside the reference" : FormattableString.Invariant($"there are only {training.Count:N0} training images for subsets of {images:N0}");
            return (metric, $"The floor of the metric was not measured: {reason}.");
        }

        var floor = evaluation.Floor(training!, subsets, progress, cancellation).Spread;
        int count = subsets.Indices.Count;
        return (metric with { Floor = floor.Mean, FloorSpread = count > 1 ? floor.StandardDeviation : null, FloorImages = images, FloorSubsets = count }, Remark(training!, subsets, images, ranges));
    }

    /// <summary>The ledger's line for what the real images cost: their features, as reference and for the floor. It takes no evaluation of the sampled network.</summary>
    /// <param name="time">Wall-clock time.</param>
    public static LedgerLineSummary RealImagesCost(TimeSpan time) => new("features of the real images (reference, floor)", 0, 0, time.TotalSeconds);

    private static string? Remark(IImageSet training, RealSubsets subsets, int images, int ranges)
    {
        string? unbalanced = subsets.Balanced || training.Classes == 0 ? null : "Its subsets are not balanced by class as the samples are, for the set holds too few images of a class.";
        int count = subsets.Indices.Count;
        string? few = count == ranges
            ? null
            : FormattableString.Invariant($"The floor of the metric is the mean of {count} disjoint subset{(count == 1 ? "" : "s")} of {images:N0} training images, not of {ranges}: the set holds {training.Count:N0}.");
        return (few, unbalanced) switch
        {
            (null, null) => null,
            (null, _) => unbalanced.Replace("Its subsets", "The subsets of the metric's floor", StringComparison.Ordinal),
            (_, null) => few,
            _ => $"{few} {unbalanced}",
        };
    }
}
