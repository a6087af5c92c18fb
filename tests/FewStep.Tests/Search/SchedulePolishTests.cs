using CsCheck;
using FewStep.Noise;
using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class SchedulePolishTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(10)]
    [InlineData(20)]
    public void ForThePowerTwoTheNodesAreAGeometricProgression(int steps)
    {
        const double c = 0.5;
        var result = Search(new GaussianLossCurve(c), 2, steps);
        double first = 1 + (c * c / (80.0 * 80));
        double ratio = Math.Pow((1 + (c * c / (0.002 * 0.002))) / first, 1.0 / steps);
        for (int i = 0; i <= steps; i++)
        {
            double s = result.Schedule.Sigmas[i];
            Assert.Equal(i * Math.Log(ratio) + Math.Log(first), Math.Log(1 + (c * c / (s * s))), 1e-9);
        }

        Assert.True(result.Loss.Value > 0);
        Assert.StartsWith("stationary", result.StopReason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(0, 4)]
    [InlineData(0, 10)]
    [InlineData(1, 2)]
    [InlineData(1, 4)]
    [InlineData(1, 10)]
    public void TheNodesAreThoseOfShooting(double power, int steps)
    {
        var curve = new GaussianLossCurve(0.5);
        double[] shot = Shoot(curve, power, steps);
        var found = Search(curve, power, steps).Schedule.Sigmas;
        for (int i = 0; i <= steps; i++)
            Assert.Equal(1, found[i] / shot[i], 1e-10);
    }

    [Fact]
    public void FromAnyStartTheLossNeverRisesAndOrderAndEndsStay() =>
        Gen.Select(Gen.Double[0.01, 1].Array[2, 10], Gen.OneOf(Gen.Const(-0.5), Gen.Const(0.0), Gen.Const(0.5), Gen.Const(1.0),
            Gen.Const(2.0)), Gen.Double[0, 1].Array[24]).Sample((gaps, power, rises) =>
        {
            double total = gaps.Sum();
            double part = 0;
            var start = new SamplingSchedule(gaps.Select(gap => 80 * Math.Pow(0.002 / 80, (part += gap) / total)).Prepend(80).SkipLast(1)
                .Append(0.002), ScheduleTerminal.Zero);
            double sum = 1e-3;
            // Every other rise is zero: flat stretches are what a noisy curve has after the isotonic fit.
            var curve = new FittedLossCurve(FittedLossCurveTests.Grid(24), rises.Select((r, k) => sum += k % 2 == 0 ? r : 0).ToArray());
            var weighting = new PowerWeighting(power);
            var polished = SchedulePolish.Polish(curve, weighting, start);
            Assert.True(polished.Loss <= DiscretizationLoss.Evaluate(curve, weighting, start));
            Assert.Equal(polished.Loss, DiscretizationLoss.Evaluate(curve, weighting, polished.Schedule));
            Assert.Equal((80.0, 0.002, start.Steps, ScheduleTerminal.Zero),
                (polished.Schedule.Sigmas[0], polished.Schedule.Sigmas[^1], polished.Schedule.Steps, polished.Schedule.Terminal));
        });

    [Fact]
    public void OneStepHasNothingToPolish()
    {
        var polished = SchedulePolish.Polish(new GaussianLossCurve(0.5), new PowerWeighting(), new SamplingSchedule([80, 0.002]));
        Assert.Equal((0, true, 0.0), (polished.Iterations, polished.Stationary, polished.Residual));
    }

    private static ScheduleSearchResult Search(ILossCurve curve, double power, int steps) =>
        new DiscretizationLossOptimizer(curve, [new PowerWeighting(power)])
            .Search(new ScheduleSearchRequest { Steps = [steps], SigmaMax = 80, SigmaMin = 0.002 }, cancellation: Token).Single();

    // The first inner node decides all others by the stationarity equations; the one whose chain ends at the last sigma is found by
    // bisection.
    private static double[] Shoot(GaussianLossCurve curve, double power, int steps)
    {
        double low = Math.Log(0.002);
        double high = Math.Log(80);
        double[] nodes = [];
        for (int halving = 0; halving < 200; halving++)
        {
            double middle = 0.5 * (low + high);
            nodes = Chain(curve, power, steps, Math.Exp(middle));
            // A first node too high leaves the chain's end too high.
            (low, high) = nodes[^1] > 0.002 ? (low, middle) : (middle, high);
        }

        return nodes;
    }

    private static double[] Chain(GaussianLossCurve curve, double power, int steps, double first)
    {
        var weighting = new PowerWeighting(power);
        List<double> nodes = [80, first];
        while (nodes.Count <= steps)
        {
            double s = nodes[^1];
            double g = weighting.Value(s) + (weighting.Derivative(s) * (curve.Loss(s) - curve.Loss(nodes[^2])) / curve.Derivative(s));
            nodes.Add(power == 0 ? Math.Exp(-g) : Math.Pow(g, -1 / power));
        }

        return [.. nodes];
    }
}
