using CsCheck;
using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class MonotoneCubicTests
{
    private static readonly Gen<(double[] X, double[] Y)> Data = Gen.Select(
        Gen.Double[0.01, 2], Gen.OneOf(Gen.Const(0.0), Gen.Double[0, 5])).Array[2, 20].Select(steps =>
    {
        double x = -3, y = -1;
        return (steps.Select(s => x += s.Item1).ToArray(), steps.Select(s => y += s.Item2).ToArray());
    });

    [Fact]
    public void ItPassesThroughThePointsAndNeverFalls() =>
        Data.Sample(data =>
        {
            var cubic = new MonotoneCubic(data.X, data.Y);
            for (int k = 0; k < data.X.Length; k++)
                Assert.Equal(data.Y[k], cubic.Value(data.X[k]), 1e-12);
            double last = double.NegativeInfinity;
            for (int i = 0; i <= 500; i++)
            {
                double x = data.X[0] + ((data.X[^1] - data.X[0]) * i / 500);
                Assert.True(cubic.Value(x) >= last - 1e-12);
                Assert.True(cubic.Derivative(x) >= 0);
                last = cubic.Value(x);
            }
        });

    [Fact]
    public void ItsDerivativeIsTheSlopeAndContinuous() =>
        Data.Sample(data =>
        {
            var cubic = new MonotoneCubic(data.X, data.Y);
            for (int k = 0; k + 1 < data.X.Length; k++)
            {
                double width = data.X[k + 1] - data.X[k];
                double x = data.X[k] + (0.37 * width);
                double h = 1e-4 * width;
                double slope = (cubic.Value(x + h) - cubic.Value(x - h)) / (2 * h);
                Assert.Equal(slope, cubic.Derivative(x), 1e-6 * (1 + Math.Abs(slope)) * (1 + (1 / width)));
                Assert.Equal(cubic.Derivative(data.X[k + 1]), cubic.Derivative(data.X[k + 1] - (1e-9 * width)),
                    1e-5 * (1 + Math.Abs(slope) + (1 / width)));
            }
        });

    [Fact]
    public void AQuadraticThatRisesFastEnoughIsReproduced()
    {
        double[] x = [1, 1.5, 2.2, 3, 3.4];
        var cubic = new MonotoneCubic(x, Array.ConvertAll(x, v => v * v));
        for (double v = 1; v <= 3.4; v += 0.01)
        {
            Assert.Equal(v * v, cubic.Value(v), 1e-12);
            Assert.Equal(2 * v, cubic.Derivative(v), 1e-12);
        }
    }

    [Fact]
    public void FallingValuesAreRefused()
    {
        Assert.Throws<ArgumentException>(() => new MonotoneCubic([1, 2], [2, 1]));
        Assert.Throws<ArgumentException>(() => new MonotoneCubic([2, 1], [1, 2]));
        Assert.Throws<ArgumentException>(() => new MonotoneCubic([1], [1]));
        Assert.Throws<ArgumentException>(() => new MonotoneCubic([1, double.NaN], [1, 2]));
    }
}
