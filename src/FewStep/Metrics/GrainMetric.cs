namespace FewStep.Metrics;

/// <summary>How noisy images are, by Donoho and Johnstone's estimate (1994): the median of the magnitudes of an image's finest diagonal
/// Haar coefficients over 0.6745, which edges hardly move. Needs no network.</summary>
internal static class GrainMetric
{
    private const double NormalMedian = 0.6745; // of the magnitude of a standard normal variable
    private const double GreyLevels = 127.5; // in a unit of [-1,1]

    // Real images are measured beside it: how much grain is right is seen from theirs.
    public static MetricEntry Entry { get; } = new("grain", "noise of images, in grey levels", MetricNeeds.None,
        _ => new FeatureMetric("grain", true, [Figure], (_, _) => new MeanMeasurement("deviations", (batch, _) => Sum(batch))));

    private static MetricFigure Figure => new("grain", "grain", "Grain",
        "Standard deviation of the noise in an image as it is saved, in grey levels of 255, estimated from the median of its finest "
            + "diagonal differences, mean over images; lower is less noise. Real images have some: with less than theirs an image is "
            + "too smooth.",
        HigherIsBetter: false);

    private static double Sum(MeasuredImages batch)
    {
        using var scope = NewDisposeScope();
        var magnitudes = HaarCoefficients.Finest(batch.Pixels).Diagonal.abs().flatten(1);
        int half = (int)(magnitudes.shape[1] / 2);
        var medians = magnitudes.topk(half + 1, 1).values.narrow(1, half, 1);
        return medians.sum().AsDouble() * GreyLevels / NormalMedian;
    }
}
