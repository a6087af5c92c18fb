using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class FittedLossCurveTests
{
    internal static double[] Grid(int points, double low = 0.002, double high = 80) =>
        [.. Enumerable.Range(0, points).Select(k => k == points - 1 ? high : low * Math.Pow(high / low, k / (points - 1.0)))];

    [Fact]
    public void FromExactPointsItIsTheGaussianCurve()
    {
        var exact = new GaussianLossCurve(0.5);
        double[] grid = Grid(96);
        var fitted = new FittedLossCurve(grid, Array.ConvertAll(grid, exact.Loss));
        for (double s = 0.002; s < 80; s *= 1.01)
        {
            Assert.Equal(1, fitted.Loss(s) / exact.Loss(s), 2e-4);
            // Where the curve is flat (s far above c) its slope is lost in the limiter; what matters there is that it is small.
            Assert.Equal(exact.Derivative(s) * s, fitted.Derivative(s) * s, 0.01 * exact.Loss(s));
        }
    }

    [Fact]
    public void AFallingStretchBecomesFlatAtItsWeightedMean()
    {
        var fitted = new FittedLossCurve([1, 2, 3, 4], [0.1, 0.4, 0.2, 0.9], [1e-4, 1e-4, 3e-4, 1e-4]);
        Assert.Equal(0.35, fitted.Loss(2), 1e-12);
        Assert.Equal(0.35, fitted.Loss(2.5), 1e-12);
        Assert.Equal(0.35, fitted.Loss(3), 1e-12);
        Assert.Equal(0, fitted.Derivative(2.5), 1e-12);
    }

    [Fact]
    public void ALossOfZeroIsKeptAboveZero()
    {
        var fitted = new FittedLossCurve([1, 2, 3], [0, 0.1, 0.4]);
        Assert.True(fitted.Loss(1) > 0 && fitted.Loss(1) < 1e-9);
        Assert.Throws<InvalidInputException>(() => new FittedLossCurve([1, 2], [0, 0]));
    }

    [Fact]
    public void OutsideTheMeasuredRangeItRefuses()
    {
        var fitted = new FittedLossCurve([1, 2], [0.1, 0.2]);
        Assert.Contains("1 to 2", Assert.Throws<InvalidInputException>(() => fitted.Loss(2.1)).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => fitted.Derivative(0.9));
        Assert.Throws<InvalidInputException>(() => fitted.Loss(double.NaN));
    }
}
