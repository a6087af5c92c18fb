using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class PowerWeightingTests
{
    [Theory]
    [InlineData(-1)]
    [InlineData(-0.5)]
    [InlineData(0)]
    [InlineData(0.5)]
    [InlineData(1)]
    [InlineData(2)]
    public void GRisesAsNoiseFallsAndItsDerivativeIsTheSlope(double power)
    {
        var weighting = new PowerWeighting(power);
        for (double s = 0.002; s < 80; s *= 1.3)
        {
            Assert.True(weighting.Value(s) > weighting.Value(s * 1.3));
            double h = 1e-5 * s;
            double slope = (weighting.Value(s + h) - weighting.Value(s - h)) / (2 * h);
            Assert.Equal(1, weighting.Derivative(s) / slope, 1e-6);
        }
    }

    [Fact]
    public void TheClosedFormsAreThoseOfTheFamily()
    {
        Assert.Equal(-Math.Log(3), new PowerWeighting(0).Value(3));
        Assert.Equal(1 / 3.0, new PowerWeighting(1).Value(3), 1e-15);
        Assert.Equal(1 / 9.0, new PowerWeighting(2).Value(3), 1e-15);
        Assert.Equal(-3, new PowerWeighting(-1).Value(3), 1e-15);
        Assert.Equal("power 0.5", new PowerWeighting(0.5).Name);
    }

    [Theory]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    [InlineData(5)]
    public void OtherPowersAreRefused(double power) => Assert.Throws<InvalidInputException>(() => new PowerWeighting(power));
}
