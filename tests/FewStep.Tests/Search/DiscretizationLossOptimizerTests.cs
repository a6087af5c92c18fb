using FewStep.Noise;
using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class DiscretizationLossOptimizerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly GaussianLossCurve Curve = new(0.5);

    [Fact]
    public void OneCurveServesAllStepsAndTheLiteralPowerBeside()
    {
        var results = new DiscretizationLossOptimizer(Curve).Search(Request([3, 10, 6]), cancellation: Token);
        Assert.Equal([3, 10, 6, 3, 10, 6], results.Select(r => r.Schedule.Steps));
        Assert.All(results.Take(3), r => Assert.Equal("discretization loss, power 0", r.Objective));
        Assert.All(results.Skip(3), r => Assert.Equal("discretization loss, power 1", r.Objective));
        Assert.All(results,
            r => Assert.Equal((80.0, 0.002, ScheduleTerminal.Zero), (r.Schedule.Sigmas[0], r.Schedule.Sigmas[^1], r.Schedule.Terminal)));
        Assert.All(results, r => Assert.True(
            r.Bound > 0 && r.Bound < r.Loss.Value && r.Loss.HalfWidth is null && r.NetworkEvaluations == 0 && r.Seconds >= 0));
        Assert.Single(DiscretizationLossOptimizer.Weightings(1));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(-1)]
    public void MoreStepsNeverCostMoreAndNoOtherScheduleCostsLess(double power)
    {
        var weighting = new PowerWeighting(power);
        var results = new DiscretizationLossOptimizer(Curve, [weighting])
            .Search(Request([.. Enumerable.Range(1, 20)]), cancellation: Token);
        for (int n = 1; n < 20; n++)
            Assert.True(results[n].Loss.Value <= results[n - 1].Loss.Value);
        var random = new Random(3);
        for (int trial = 0; trial < 300; trial++)
        {
            int steps = random.Next(2, 12);
            double[] parts = [.. Enumerable.Range(0, steps - 1).Select(_ => random.NextDouble()).Order()];
            var schedule = new SamplingSchedule(parts.Select(part => 80 * Math.Pow(0.002 / 80, part)).Prepend(80).Append(0.002));
            Assert.True(DiscretizationLoss.Evaluate(Curve, weighting, schedule) >= results[steps - 1].Loss.Value);
        }
    }

    [Fact]
    public void TheGridHardlyMatters()
    {
        var coarse = new DiscretizationLossOptimizer(Curve, gridSize: 200).Search(Request([8]), cancellation: Token)[0];
        var fine = new DiscretizationLossOptimizer(Curve, gridSize: 4000).Search(Request([8]), cancellation: Token)[0];
        for (int i = 0; i <= 8; i++)
            Assert.Equal(1, coarse.Schedule.Sigmas[i] / fine.Schedule.Sigmas[i], 1e-9);
    }

    [Fact]
    public void BadRequestsAreNamed()
    {
        var search = new DiscretizationLossOptimizer(Curve);
        string all = Assert.Throws<InvalidInputException>(
            () => search.Search(Request([0]) with { SigmaMin = double.NaN }, cancellation: Token)).Message;
        Assert.True(all.Contains("steps", StringComparison.Ordinal) && all.Contains("sigma_min", StringComparison.Ordinal), all);
        Assert.Throws<InvalidInputException>(() => search.Search(Request([]), cancellation: Token));
        var narrow = new FittedLossCurve([0.1, 1], [0.01, 0.2]);
        Assert.Contains("measured from 0.1 to 1", Assert.Throws<InvalidInputException>(
            () => new DiscretizationLossOptimizer(narrow).Search(Request([4]), cancellation: Token)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void ACancelledSearchStops() =>
        Assert.Throws<OperationCanceledException>(
            () => new DiscretizationLossOptimizer(Curve).Search(Request([4]), cancellation: new CancellationToken(true)));

    private static ScheduleSearchRequest Request(int[] steps)
        => new() { Steps = steps, SigmaMax = 80, SigmaMin = 0.002, Terminal = ScheduleTerminal.Zero };
}
