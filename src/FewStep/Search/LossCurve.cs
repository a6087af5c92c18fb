using MathNet.Numerics.Distributions;

namespace FewStep.Search;

/// <summary>A measured training loss curve: mean losses on a grid of noise levels with the covariance of those means, so that any sum over
/// the curve has a confidence interval.</summary>
/// <remarks>
/// Images are the independent observations; noise levels share images and noise, so their errors are correlated and the covariance matters.
/// </remarks>
internal sealed class LossCurve
{
    /// <summary>Most noise levels that a curve may have.</summary>
    public const int MaximumPoints = 1024;

    private const double WorseThanMean = 1.1;
    private readonly double[][] _covariance;

    public LossCurve(IReadOnlyList<double> sigmas, IReadOnlyList<double> loss, IReadOnlyList<IReadOnlyList<double>> covariance, long images,
        LossCurveOrigin origin, double confidence = 0.95)
    {
        Sigmas = [.. sigmas];
        Loss = [.. loss];
        CheckPoints();
        _covariance = CheckedCovariance(covariance);
        if (images < 2 || !(confidence is >= 0.5 and <= 0.9999))
            throw Invalid($"it needs at least 2 images and a confidence from 0.5 to 0.9999; they are {images} and {confidence}.");
        if (origin.NetworkEvaluations < 0 || !(origin.Seconds >= 0) || !double.IsFinite(origin.Seconds) || !(origin.RelativeHalfWidth >= 0)
            || !double.IsFinite(origin.RelativeHalfWidth) || !(origin.RelativeRegret is null or >= 0 and < double.PositiveInfinity)
            || !(origin.MeanImageLoss is null or >= 0 and < double.PositiveInfinity))
        {
            throw Invalid($"network evaluations, seconds, relative half-width, regret and the mean image's loss must be finite and at "
                + $"least 0; they are {origin.NetworkEvaluations}, {origin.Seconds}, {origin.RelativeHalfWidth}, {origin.RelativeRegret} "
                + $"and {origin.MeanImageLoss}.");
        }

        (Images, Origin, Confidence) = (images, origin, confidence);
        double tail = 0.5 + (0.5 * confidence);
        // From there on the two distributions agree to five digits, and Student's quantile is a slow search.
        Quantile = images > 100_000 ? Normal.InvCDF(0, 1, tail) : StudentT.InvCDF(0, 1, images - 1, tail);
        StandardError = [.. _covariance.Select((row, k) => Math.Sqrt(row[k]))];
        Fitted = new FittedLossCurve(Sigmas.AsSpan(), Loss.AsSpan(), _covariance.Select((row, k) => row[k]).ToArray());
    }

    public ImmutableArray<double> Sigmas { get; }

    /// <summary>Mean loss at each noise level: mean squared error of one image value.</summary>
    public ImmutableArray<double> Loss { get; }

    public ImmutableArray<double> StandardError { get; }
    public long Images { get; }
    public LossCurveOrigin Origin { get; }
    public double Confidence { get; }

    /// <summary>Student's t quantile of <see cref="Images"/> - 1 degrees of freedom: half-width of an interval over its standard
    /// error.</summary>
    public double Quantile { get; }

    /// <summary>The smooth, never decreasing curve through the points; isotonic with inverse variances as weights.</summary>
    public FittedLossCurve Fitted { get; }

    /// <summary>Covariance of the means at two noise levels.</summary>
    public double Covariance(int k, int l) => _covariance[k][l];

    /// <summary>The mean loss at one noise level with its interval.</summary>
    public LossEstimate Point(int k) => new(Loss[k], Quantile * StandardError[k], Confidence);

    /// <summary>Half-width of the confidence interval of sum_k weights_k L_k.</summary>
    public double HalfWidth(ReadOnlySpan<double> weights)
    {
        if (weights.Length != Sigmas.Length)
            throw new ArgumentException($"There are {weights.Length} weights for {Sigmas.Length} noise levels.", nameof(weights));
        double variance = 0;
        for (int k = 0; k < weights.Length; k++)
        {
            double row = 0;
            for (int l = 0; l < weights.Length; l++)
                row += _covariance[k][l] * weights[l];
            variance += weights[k] * row;
        }

        return Quantile * Math.Sqrt(Math.Max(0, variance));
    }

    /// <summary>The same curve of images that had to be made first.</summary>
    /// <param name="source">What they are, for people.</param>
    /// <param name="evaluations">What they took.</param>
    public LossCurve MeasuredOn(string source, long evaluations) => new(Sigmas, Loss, _covariance, Images,
        Origin with { Source = source, NetworkEvaluations = Origin.NetworkEvaluations + evaluations }, Confidence);

    /// <summary>Sentences for people: what it was measured on, that the curve is not as good as was asked, and that the model is worse than
    /// no model somewhere, where Phase 1's bound misleads.</summary>
    public IEnumerable<string> Remarks()
    {
        if (Origin.Source is string source)
            yield return $"The loss curve was measured on {source}, not on images from elsewhere.";
        if (Origin.Remark is string imprecise)
            yield return imprecise;
        if (Origin.MeanImageLoss is double mean and > 0)
        {
            int[] worse = [.. Enumerable.Range(0, Sigmas.Length).Where(k => Point(k).Low > WorseThanMean * mean)];
            if (worse.Length > 0)
            {
                int worst = worse.MaxBy(k => Loss[k]);
                yield return InvariantText.Of(
                    $"At sigma {Sigmas[worst]:G3} the model's loss is {Loss[worst] / mean:0.0} times that of always answering with the "
                        + $"mean image ({worse.Length} of {Sigmas.Length} noise levels, from {Sigmas[worse[0]]:G3} on, have such a loss): "
                        + $"it is trained too little there, or predicts noise, whose error sigma multiplies, or is guided strongly. Phase "
                        + $"1 takes the loss for the error of a step and may spend steps on those levels that bring nothing: compare its "
                        + $"schedules with others.");
            }
        }
    }

    private static InvalidInputException Invalid(InvariantText what) =>
        new("The loss curve cannot be used: " + what.ToString() + " Measure it again.");

    private void CheckPoints()
    {
        if (Sigmas.Length is < 2 or > MaximumPoints || Loss.Length != Sigmas.Length)
            throw Invalid($"it needs 2 to {MaximumPoints} sigmas and as many losses; there are {Sigmas.Length} and {Loss.Length}.");
        for (int k = 0; k < Sigmas.Length; k++)
        {
            if (!double.IsFinite(Sigmas[k]) || Sigmas[k] <= 0 || (k > 0 && !(Sigmas[k] > Sigmas[k - 1])))
                throw Invalid($"sigmas must be finite, above 0 and increasing; sigma[{k}] = {Sigmas[k]:R}.");
            if (!double.IsFinite(Loss[k]) || Loss[k] < 0)
                throw Invalid($"losses must be finite and at least 0; loss[{k}] = {Loss[k]:R}.");
        }
    }

    private double[][] CheckedCovariance(IReadOnlyList<IReadOnlyList<double>> covariance)
    {
        int points = Sigmas.Length;
        if (covariance.Count != points || covariance.Any(row => row is null || row.Count != points))
            throw Invalid($"its covariance must have {points} rows of {points} numbers.");
        double[][] checkedRows = [.. covariance.Select(row => row.ToArray())];
        for (int k = 0; k < points; k++)
        {
            if (!double.IsFinite(checkedRows[k][k]) || checkedRows[k][k] < 0)
                throw Invalid($"variances must be finite and at least 0; variance[{k}] = {checkedRows[k][k]:R}.");
        }

        for (int k = 0; k < points; k++)
        {
            for (int l = 0; l < k; l++)
            {
                double limit = Math.Sqrt(checkedRows[k][k]) * Math.Sqrt(checkedRows[l][l]);
                if (!(Math.Abs(checkedRows[k][l]) <= limit * (1 + 1e-6))
                    || !(Math.Abs(checkedRows[k][l] - checkedRows[l][k]) <= 1e-9 * limit))
                {
                    throw Invalid($"its covariance must be symmetric with no correlation beyond 1; entries [{k}][{l}] and [{l}][{k}] are "
                        + $"{checkedRows[k][l]:R} and {checkedRows[l][k]:R}.");
                }
            }
        }

        return checkedRows;
    }
}
