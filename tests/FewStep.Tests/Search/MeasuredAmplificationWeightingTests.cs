using CsCheck;
using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class MeasuredAmplificationWeightingTests
{
    private static readonly double[] Sigmas = [.. Enumerable.Range(0, 11).Select(i => 80 * Math.Pow(0.002 / 80, i / 10.0))];

    [Fact]
    public void WithoutAmplificationItIsPowerZero()
    {
        var weighting = new MeasuredAmplificationWeighting(Sigmas, [.. Sigmas.Select(_ => 1.0)]);
        var power = new PowerWeighting(0);
        foreach (double s in new[] { 80, 31.7, 2, 0.3, 0.0021, 0.002 })
        {
            Assert.Equal(power.Value(s) - power.Value(80), weighting.Value(s), 1e-12);
            Assert.Equal(1, weighting.Derivative(s) / power.Derivative(s), 1e-12);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-0.5)]
    public void PowersAreIntegratedExactly(double power)
    {
        // A = s^-p has g = s^-p / p.
        var weighting = new MeasuredAmplificationWeighting(Sigmas, [.. Sigmas.Select(s => Math.Pow(s, -power))]);
        foreach (double s in new[] { 79.9, 55.5, 7.1, 0.6, 0.011, 0.002 })
        {
            Assert.Equal(1, weighting.Value(s) / ((Math.Pow(s, -power) - Math.Pow(80, -power)) / power), 1e-11);
            Assert.Equal(1, weighting.Amplification(s) / Math.Pow(s, -power), 1e-11);
        }
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.5)]
    [InlineData(2)]
    public void BetweenTheMeasuredLevelsAGaussiansFlowIsKnownToAPercent(double c)
    {
        double Exact(double s) => c / Math.Sqrt((c * c) + (s * s));
        var weighting = new MeasuredAmplificationWeighting(Sigmas, [.. Sigmas.Select(Exact)]);
        for (double s = 0.0021; s < 80; s *= 1.1)
        {
            Assert.Equal(1, weighting.Amplification(s) / Exact(s), 0.013);
            // The integral of c / sqrt(c^2 + s^2) d ln s is -asinh(c / s).
            Assert.Equal(1, weighting.Value(s) / (Math.Asinh(c / s) - Math.Asinh(c / 80)), 0.006);
        }
    }

    [Fact]
    public void GRisesAsNoiseFallsAndItsDerivativeIsTheSlope() => Gen.Double[-3, 1].Array[11].Sample(logs =>
    {
        var weighting = new MeasuredAmplificationWeighting(Sigmas, [.. logs.Select(Math.Exp)]);
        for (double s = 0.0005; s < 300; s *= 1.17)
        {
            double h = 1e-6 * s;
            double slope = (weighting.Value(s + h) - weighting.Value(s - h)) / (2 * h);
            // At a knot the curvature jumps, and at the range's ends the slope of A does.
            if (!(weighting.Value(s) > weighting.Value(s * 1.17)) || Math.Abs((weighting.Derivative(s) / slope) - 1) > 1e-4)
                return false;
        }

        return true;
    }, iter: 50);

    [Fact]
    public void NumbersThatAreNoAmplificationAreRefused()
    {
        double[] ones = [.. Sigmas.Select(_ => 1.0)];
        Assert.Throws<ArgumentException>(() => new MeasuredAmplificationWeighting(Sigmas[..4], ones[..4]));
        Assert.Throws<ArgumentException>(() => new MeasuredAmplificationWeighting(Sigmas, ones[1..]));
        Assert.Throws<ArgumentException>(() => new MeasuredAmplificationWeighting([.. Sigmas.Reverse()], ones));
        Assert.Throws<ArgumentException>(() => new MeasuredAmplificationWeighting(Sigmas, [.. ones[1..], 0]));
        Assert.Throws<ArgumentException>(() => new MeasuredAmplificationWeighting(Sigmas, [.. ones[1..], double.NaN]));
    }
}
