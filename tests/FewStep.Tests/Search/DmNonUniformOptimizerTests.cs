using CsCheck;
using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Tests.Search;

public sealed class DmNonUniformOptimizerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void NoStartIsBetterForAnyRangeOrderAndPower() =>
        Gen.Select(Gen.Int[1, 9], Gen.Double[-4, 0], Gen.Double[0.5, 4], Gen.Int[1, 3], Gen.Double[0, 2.5])
            .Sample((steps, low, width, order, power) =>
        {
            double min = Math.Exp(low * 1.5), max = min * Math.Exp(width * 2.5);
            var optimizer = new DmNonUniformOptimizer(order, power);
            var result = optimizer.Search(
                new ScheduleSearchRequest { Steps = [steps], SigmaMax = max, SigmaMin = min }, cancellation: Token)[0];
            double bound = optimizer.Bound(result.Schedule);
            return result.Schedule.Steps == steps && result.Schedule.Sigmas[0] == max && result.Schedule.Sigmas[^1] == min
                && result.NetworkEvaluations == 0
                && result.Loss.Value == bound
                && new[]
                { "log-snr", "karras", "uniform-t" }.All(name => bound <= optimizer.Bound(StandardSchedules.Create(name, steps, min, max)));
        }, iter: 25);

    [Fact]
    public void NoNeighbourIsBetter()
    {
        var optimizer = new DmNonUniformOptimizer();
        var random = new Random(5);
        foreach (var result in optimizer.Search(Request([4, 6, 10]), cancellation: Token))
        {
            for (int trial = 0; trial < 200; trial++)
            {
                double size = Math.Pow(10, -1 - (3 * random.NextDouble()));
                double[] moved = [.. result.Schedule.Sigmas.Select(
                    (s, i) => i == 0 || i == result.Schedule.Steps ? s : s * Math.Exp(size * ((2 * random.NextDouble()) - 1)))];
                if (Enumerable.Range(1, moved.Length - 1).All(i => moved[i] < moved[i - 1]))
                    Assert.True(optimizer.Bound(new SamplingSchedule(moved)) >= result.Loss.Value * (1 - 1e-7));
            }
        }
    }

    [Fact]
    public void OfFirstOrderWithErrorsLikeSigmaItIsLogSnr()
    {
        foreach (var result in new DmNonUniformOptimizer(1, 1).Search(Request([2, 5, 12]), cancellation: Token))
        {
            int n = result.Schedule.Steps;
            var logSnr = StandardSchedules.Create("log-snr", n, 0.002, 80);
            Assert.All(result.Schedule.Sigmas.Zip(logSnr.Sigmas), pair => Assert.Equal(1, pair.First / pair.Second, 1e-6));
            // Each of N terms is one ratio of neighbours less 1.
            Assert.Equal(1, result.Loss.Value / (n * (Math.Pow(80 / 0.002, 1.0 / n) - 1)), 1e-12);
        }
    }

    [Fact]
    public void OfFirstOrderItIsADiscretizationLossOfPowerOne()
    {
        // sum_i d(s_i) (1 / s_(i+1) - 1 / s_i): the global optimum by dynamic programming and Newton, on the error as the curve.
        var exact = new DiscretizationLossOptimizer(new ErrorCurve(), [new PowerWeighting(1)])
            .Search(Request([3, 6, 9]), cancellation: Token);
        var found = new DmNonUniformOptimizer(1, 2).Search(Request([3, 6, 9]), cancellation: Token);
        for (int k = 0; k < 3; k++)
        {
            Assert.Equal(1, found[k].Loss.Value / exact[k].Loss.Value, 1e-8);
            Assert.All(found[k].Schedule.Sigmas.Zip(exact[k].Schedule.Sigmas), pair => Assert.Equal(1, pair.First / pair.Second, 1e-3));
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void OfFirstOrderMoreStepsNeverCostMore(double power)
    {
        // Only there does a further node leave the others' weights alone; of higher order the bound may rise.
        var results = new DmNonUniformOptimizer(1, power).Search(Request([.. Enumerable.Range(1, 14)]), cancellation: Token);
        Assert.All(results.Zip(results.Skip(1)), pair => Assert.True(pair.Second.Loss.Value <= pair.First.Loss.Value));
    }

    [Fact]
    public void TheDescentsGradientIsThatOfTheFunction()
    {
        double[] at = [0.3, -1.2, 0.7];
        double[] gradient = DmNonUniformDescent.Gradient(x => Math.Exp(x[0]) + (x[1] * x[1] * x[2]) + Math.Sin(x[2]), at);
        double[] exact = [Math.Exp(0.3), 2 * -1.2 * 0.7, (1.2 * 1.2) + Math.Cos(0.7)];
        Assert.All(gradient.Zip(exact), pair => Assert.Equal(pair.Second, pair.First, 1e-8));
    }

    [Fact]
    public void TheDescentFindsAKnownMinimumAndKeepsTheOrder()
    {
        double[] wanted = [0, 0.2, 0.9, 1.0, 3];
        var result = new DmNonUniformDescent(p => p.Zip(wanted, (a, b) => (a - b) * (a - b)).Sum()
            + p.Zip(wanted, (a, b) => Math.Abs(a - b)).Sum()).Descend([0, 1, 1.5, 2, 3], 500, Token);
        Assert.True(result.Value < 1e-4);
        Assert.All(result.Points.Zip(result.Points.Skip(1)), pair => Assert.True(pair.Second > pair.First));
    }

    [Fact]
    public void TheCatalogueMakesItForTheSolversOrder()
    {
        var choice = ScheduleOptimizerCatalog.Find("dm-nonuniform:2");
        Assert.True(choice.Entry.IsForSolver);
        var context = new ScheduleSearchContext { Denoiser = new LinearDenoiser(new ImageShape(1, 2, 2), 1), Solver = new HeunSolver() };
        var result = choice.Create(context).Search(Request([5]) with { Terminal = ScheduleTerminal.Zero }, cancellation: Token)[0];
        Assert.Equal("DM-NonUniform's error bound, order 2, power 2", result.Objective);
        Assert.Equal(ScheduleTerminal.Zero, result.Schedule.Terminal);
        Assert.Throws<InvalidInputException>(() => ScheduleOptimizerCatalog.Find("dm-nonuniform:x"));
        Assert.Throws<InvalidInputException>(() => ScheduleOptimizerCatalog.Find("dm-nonuniform:4"));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DmNonUniformOptimizer(4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new DmNonUniformOptimizer(3, double.NaN));
        Assert.Throws<OperationCanceledException>(
            () => new DmNonUniformOptimizer().Search(Request([5]), cancellation: new CancellationToken(true)));
    }

    private static ScheduleSearchRequest Request(IReadOnlyList<int> steps) => new() { Steps = steps, SigmaMax = 80, SigmaMin = 0.002 };

    /// <summary>s^2 / sqrt(1 + s^2), the error model of power 2.</summary>
    private sealed class ErrorCurve : ILossCurve
    {
        public double Loss(double sigma) => sigma * sigma / Math.Sqrt(1 + (sigma * sigma));

        public double Derivative(double sigma) => sigma * (2 + (sigma * sigma)) / Math.Pow(1 + (sigma * sigma), 1.5);
    }
}
