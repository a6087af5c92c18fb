namespace FewStep.Search;

/// <summary>A smooth, never decreasing curve through measured losses: isotonic where the model breaks monotonicity, then a monotone cubic
/// of ln L over ln sigma.</summary>
/// <remarks>Over ln sigma, ln L is nearly straight at both ends (L grows as sigma^2 at low noise and is constant at high noise), so a cubic
/// on it is accurate and stays above 0.</remarks>
internal sealed class FittedLossCurve : ILossCurve
{
    // A loss of exactly 0 has no logarithm; this share of the largest loss stands for it.
    private const double Floor = 1e-12;
    private const double EdgeTolerance = 1e-9;
    private const double SmallestLoss = 1e-100, LargestLoss = 1e100; // squares and quotients are computed with
    private readonly MonotoneCubic _logLoss;

    public FittedLossCurve(ReadOnlySpan<double> sigmas, ReadOnlySpan<double> losses, ReadOnlySpan<double> variances = default)
    {
        if (sigmas.Length != losses.Length || sigmas.Length < 2 || (variances.Length != 0 && variances.Length != sigmas.Length))
        {
            throw new ArgumentException(
                $"There are {sigmas.Length} sigmas, {losses.Length} losses and {variances.Length} variances.", nameof(losses));
        }

        double largest = 0;
        foreach (double loss in losses)
            largest = Math.Max(largest, loss);
        if (largest == 0)
        {
            throw new InvalidInputException("The training loss is 0 at every noise level, so no schedule is better than another: check "
                + "that the images are not all the same.");
        }

        if (largest is < SmallestLoss or > LargestLoss)
        {
            throw new InvalidInputException($"The largest training loss is {largest}, which is none of images: look where the curve comes "
                + $"from, or measure it again.");
        }

        var u = new double[sigmas.Length];
        var weights = new double[sigmas.Length];
        for (int k = 0; k < sigmas.Length; k++)
        {
            u[k] = Math.Log(sigmas[k]);
            double smallest = 1e-6 * Math.Max(losses[k], Floor * largest);
            weights[k] = (largest * largest) / Math.Max(variances.Length == 0 ? losses[k] * losses[k] : variances[k], smallest * smallest);
        }

        Sigmas = [.. sigmas];
        double[] fitted = IsotonicRegression.Fit(losses, weights);
        _logLoss = new MonotoneCubic(u, Array.ConvertAll(fitted, l => Math.Log(Math.Max(l, Floor * largest))));
    }

    /// <summary>The noise levels that the curve was fitted on, increasing.</summary>
    public IReadOnlyList<double> Sigmas { get; }

    public double SigmaMin => Sigmas[0];
    public double SigmaMax => Sigmas[^1];
    public double Loss(double sigma) => Math.Exp(_logLoss.Value(Logarithm(sigma)));

    public double Derivative(double sigma)
    {
        double u = Logarithm(sigma);
        return Math.Exp(_logLoss.Value(u)) * _logLoss.Derivative(u) / sigma;
    }

    private double Logarithm(double sigma)
    {
        if (!(sigma >= SigmaMin * (1 - EdgeTolerance) && sigma <= SigmaMax * (1 + EdgeTolerance)))
        {
            throw new InvalidInputException(
                $"Sigma {sigma:R} lies outside the loss curve, which was measured from {SigmaMin:R} to {SigmaMax:R}: measure it again over "
                    + $"the range that the schedule needs.");
        }

        return Math.Log(Math.Clamp(sigma, SigmaMin, SigmaMax));
    }
}
