using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.Optimization;
using static FewStep.Tests.Search.SearchModels;

namespace FewStep.Tests.Search;

public sealed class EndpointOptimizerTests
{
    private static readonly EndpointOptions Options = new() { Latents = 8, HeldOutLatents = 4, TeacherSteps = 20 };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("euler", 5)]
    [InlineData("heun", 3)]
    [InlineData("ipndm:3", 5)]
    public void NoStartEndsNearer(string solver, int steps)
    {
        using var denoiser = Mixture();
        var context = Context(denoiser, solver: SolverCatalog.Find(solver)) with { LossCurve = null };
        var result = new EndpointOptimizer(context, Options).Search(Request(steps), cancellation: Token)[0];
        using var seen = Seen(context);
        double Distance(SamplingSchedule schedule) => seen.MeanSquares(context.Solver, schedule, Token).Average();
        double found = Distance(result.Schedule);
        foreach (string name in StandardSchedules.Names)
            Assert.True(found <= Distance(StandardSchedules.Create(name, steps, 0.002, 80)), name);
        var gits = new GitsOptimizer(context, new GitsOptions { Latents = Options.Latents }).Search(Request(steps), cancellation: Token)[0];
        Assert.True(found < Distance(gits.Schedule));
        Assert.True(result.Loss.HalfWidth > 0);
        Assert.Contains(solver, result.Objective, StringComparison.Ordinal);
        Assert.Contains("after", result.StopReason, StringComparison.Ordinal);
    }

    [Fact]
    public void OneInnerLevelIsTheBestOfAScan()
    {
        using var denoiser = Mixture();
        var context = Context(denoiser);
        var result = new EndpointOptimizer(context, Options with { Latents = 64 }).Search(Request(2), cancellation: Token)[0];
        using var seen = Seen(context, 64);
        double best = Enumerable.Range(1, 399).Min(k =>
            seen.MeanSquares(context.Solver, new SamplingSchedule([80, 80 * Math.Pow(0.002 / 80, k / 400.0), 0.002]), Token).Average());
        Assert.InRange(seen.MeanSquares(context.Solver, result.Schedule, Token).Average(), 0, best * 1.01);
    }

    [Fact]
    public void TheSearchNeedsFarFewerRunsThanASimplex()
    {
        using var denoiser = Mixture();
        var context = Context(denoiser, images: 16);
        using var seen = Request(6).WithHeun(context.Sampling(), SeedList.Of(16, context.FirstSeed), 20, Token);
        double[] start = [.. StandardSchedules.Create("karras", 6, 0.002, 80).Sigmas[1..^1].Reverse().Select(s => Math.Log(s))];
        SamplingSchedule Schedule(IEnumerable<double> u) => new([80, .. u.Reverse().Select(x => Math.Exp(x)), 0.002]);

        int runs = 0;
        LeastSquaresPoint At(double[] u)
        {
            runs++;
            return new LeastSquaresPoint(u, seen.Residuals(context.Solver, Schedule(u), Token));
        }

        using var found = new ProbeSearch(Math.Log(0.002), Math.Log(80), At, 0.002).Minimise(At(start), _ => { });

        double best = double.PositiveInfinity;
        int simplexRuns = 0;
        double Simplex(Vector<double> u)
        {
            double[] all = [Math.Log(0.002), .. u, Math.Log(80)];
            if (all.Zip(all.Skip(1)).Any(pair => !(pair.First < pair.Second)))
                return 1e3;
            double value = seen.MeanSquares(context.Solver, Schedule(u), Token).Average();
            best = simplexRuns++ < 2 * runs ? Math.Min(best, value) : best;
            return value;
        }

        try
        {
            new NelderMeadSimplex(1e-9, 2 * runs).FindMinimum(ObjectiveFunction.Value(Simplex), Vector<double>.Build.Dense(start));
        }
        catch (MaximumIterationsException)
        {
            // It was to stop there.
        }

        Assert.True(found.Value < best, $"probes {found.Value} after {runs} runs, simplex {best} after {2 * runs}");
    }

    [Fact]
    public void EvaluationsAreCountedAndWithinTheBudget()
    {
        using var denoiser = Mixture();
        var counter = new CountingDenoiser(denoiser);
        var options = Options with { MaximumEvaluations = 8 * 4 * 10, Tolerance = 0 };
        var result = new EndpointOptimizer(Context(counter), options).Search(Request(4), cancellation: Token)[0];
        Assert.Equal(counter.Images, result.NetworkEvaluations);
        // Teachers, GITS' table, five starts, ten runs, the held-out latents.
        Assert.Equal((40 * 12) + (60 * 8) + (5 * 4 * 8) + (10 * 4 * 8) + (4 * 4), result.NetworkEvaluations);
        Assert.Contains("budget", result.StopReason, StringComparison.Ordinal);
    }

    [Fact]
    public void TheLossCurveGivesAStart()
    {
        using var denoiser = GaussianMixtureDenoiser.Gaussian(Shape, 0, 0.5);
        var images = new SyntheticImages(Shape, 0, 0.5, 64);
        var curve = new LossCurveEstimator(denoiser, images, new LossCurveOptions { MaximumImages = 16, MinimumImages = 16, Points = 16 })
            .Estimate(cancellation: Token);
        var with = new EndpointOptimizer(
            Context(denoiser) with { LossCurve = () => curve }, Options).Search(Request(3), cancellation: Token)[0];
        using var seen = Seen(Context(denoiser));
        var phase1 = new DiscretizationLossOptimizer(curve, [new PowerWeighting()]).Search(Request(3), cancellation: Token)[0];
        Assert.True(seen.MeanSquares(new EulerSolver(), with.Schedule, Token).Average()
            <= seen.MeanSquares(new EulerSolver(), phase1.Schedule, Token).Average());
        Assert.True(with.NetworkEvaluations > curve.Origin.NetworkEvaluations + (60 * 8));
    }

    [Fact]
    public void BatchesDoNotMatter()
    {
        using var denoiser = Mixture();
        var whole = new EndpointOptimizer(Context(denoiser), Options).Search(Request(4), cancellation: Token)[0];
        var parts = new EndpointOptimizer(Context(denoiser, batchSize: 3), Options).Search(Request(4), cancellation: Token)[0];
        for (int i = 0; i <= 4; i++)
            Assert.Equal(1, whole.Schedule.Sigmas[i] / parts.Schedule.Sigmas[i], 1e-2);
        Assert.Equal(1, whole.Loss.Value / parts.Loss.Value, 1e-3);
    }

    [Fact]
    public void OneStepAndATerminalDenoiseAndCancellation()
    {
        using var denoiser = Mixture();
        var one = new EndpointOptimizer(
            Context(denoiser), Options).Search(Request(1) with { Terminal = ScheduleTerminal.Zero }, cancellation: Token)[0];
        Assert.Equal([80, 0.002], one.Schedule.Sigmas);
        Assert.Equal(ScheduleTerminal.Zero, one.Schedule.Terminal);
        Assert.Throws<InvalidInputException>(() => new EndpointOptimizer(Context(denoiser), Options with { Tolerance = -1 }));
        Assert.Throws<OperationCanceledException>(
            () => new EndpointOptimizer(Context(denoiser), Options).Search(Request(4), cancellation: new CancellationToken(true)));
    }

    private static PairedComparison Seen(ScheduleSearchContext context, int latents = 8) =>
        Request(4).WithHeun(context.Sampling(), SeedList.Of(latents, context.FirstSeed), Options.TeacherSteps, Token);
}
