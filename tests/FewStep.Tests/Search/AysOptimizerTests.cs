using FewStep.Denoising;
using FewStep.Search;
using static FewStep.Tests.Search.SearchModels;

namespace FewStep.Tests.Search;

public sealed class AysOptimizerTests
{
    private const double C = 0.5;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    public void TheBoundOfGaussianDataIsKnown(int steps)
    {
        var shape = new ImageShape(1, 6, 6);
        using var denoiser = GaussianMixtureDenoiser.Gaussian(shape, 0.2, C);
        var context = Context(denoiser) with { TrainingImages = () => new SyntheticImages(shape, 0.2, C, 1000) };
        var result = new AysOptimizer(
            context, new AysOptions { Images = 64, MaximumSweeps = 0, Patience = null }).Search(Request(steps), cancellation: Token)[0];
        // E|D_i - D_s|^2 = L(s_i) - L(s), so the bound is half that of the discretization loss of power 2.
        double expected = 0.5 * DiscretizationLoss.Bound(new GaussianLossCurve(C), new PowerWeighting(2), result.Schedule);
        Assert.InRange(expected, result.Loss.Low!.Value, result.Loss.High!.Value);
        Assert.InRange(result.Loss.RelativeHalfWidth!.Value, 0, 0.1);
    }

    [Fact]
    public void ConvergedNodesOfGaussianDataAreNearlyGeometric()
    {
        var shape = new ImageShape(1, 6, 6);
        using var denoiser = GaussianMixtureDenoiser.Gaussian(shape, 0, C);
        var context = Context(denoiser) with { TrainingImages = () => new SyntheticImages(shape, 0, C, 1000) };
        var result = new AysOptimizer(
            context, new AysOptions { Images = 64, Points = 256, Patience = null }).Search(Request(6), cancellation: Token)[0];
        double[] ratios = [.. result.Schedule.Sigmas.Zip(
            result.Schedule.Sigmas.Skip(1), (s, next) => Math.Log(1 + (C * C / (next * next))) - Math.Log(1 + (C * C / (s * s))))];
        Assert.All(ratios, ratio => Assert.Equal(1, ratio / ratios.Average(), 0.1));
        Assert.Contains("no node moves any more", result.StopReason, StringComparison.Ordinal);
        Assert.Equal(64 * 256, result.NetworkEvaluations);
    }

    [Fact]
    public void WithoutImagesTheModelsSamplesServeAndAllIsCounted()
    {
        using var denoiser = Mixture();
        var counter = new CountingDenoiser(denoiser);
        var options = new AysOptions { Images = 8, Points = 32, JudgeLatents = 4, TeacherSteps = 10 };
        var results = new AysOptimizer(Context(counter), options).Search(Request(3, 4), cancellation: Token);
        int shared = (8 * 32) + (8 * ((2 * 10) + 1)) + (4 * 2 * 10);
        int own = 0;
        foreach (var result in results)
        {
            int moves = int.Parse(result.StopReason.Split(" sweeps, ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
            int judged = 4 * result.Schedule.Steps * (moves + 1);
            Assert.Equal(shared + judged, result.NetworkEvaluations);
            own += judged;
        }

        Assert.Equal(shared + own, counter.Images);
    }

    [Fact]
    public void BatchesDoNotMatter()
    {
        using var denoiser = Mixture();
        var options = new AysOptions { Images = 8, Points = 32, Patience = null };
        var whole = new AysOptimizer(Context(denoiser), options).Search(Request(5), cancellation: Token)[0];
        var parts = new AysOptimizer(Context(denoiser, batchSize: 5), options).Search(Request(5), cancellation: Token)[0];
        Assert.Equal(whole.Schedule.Sigmas, parts.Schedule.Sigmas);
        Assert.Equal(whole.Loss.Value, parts.Loss.Value, 1e-4 * whole.Loss.Value);
    }

    [Fact]
    public void SweepsComeCloseToTheGlobalOptimumAndNeverRise()
    {
        using var denoiser = Mixture();
        var bound = ForwardPathBound.Measure(
            Context(denoiser).Sampling(), Context(denoiser), new AysOptions { Images = 16, TeacherSteps = 10 }, Request(
                6), [.. FewStep.Noise.StandardSchedule.LogSnr().Create(47, 0.002, 80).Sigmas], null, Token);
        int[] start = [0, 1, 2, 3, 4, 5, 47];
        double Cost(int[] path) => path.Zip(path.Skip(1)).Sum(pair => bound.Steps[pair.First][pair.Second]);
        double least = Cost(JumpCostProgram.Solve(bound.Steps, 6).Path(6)), last = Cost(start);
        for (int sweeps = 1; sweeps < 40; sweeps++)
        {
            double now = Cost(new CoordinateSweeps(bound.Steps, 11, sweeps, null, _ => 0).Minimise(start, Token));
            Assert.True(now <= last);
            last = now;
        }

        Assert.InRange(last, least * (1 - 1e-9), least * 1.05);
    }

    [Fact]
    public void TheSearchStopsWhereSamplesGetWorse()
    {
        // Samples are best after the second move, whatever comes later.
        double[][] cost = [.. Enumerable.Range(0, 40).Select(i => Enumerable.Range(0, 40).Select(j => Math.Pow(j - i, 2.0)).ToArray())];
        List<int[]> seen = [];
        double Judge(int[] path)
        {
            seen.Add([.. path]);
            return Math.Abs(seen.Count - 3);
        }

        var sweeps = new CoordinateSweeps(cost, 3, 100, 2, Judge);
        int[] path = sweeps.Minimise([0, 1, 2, 3, 4, 5, 39], Token);
        Assert.Equal(seen[2], path);
        Assert.StartsWith("stopped early", sweeps.StopReason, StringComparison.Ordinal);
        // the first can move the last node alone, the second begins with the one before it
        Assert.Contains("after 4 sweeps", sweeps.StopReason, StringComparison.Ordinal);
        Assert.EndsWith($"{seen.Count - 1} moves; move 2 has the best samples", sweeps.StopReason, StringComparison.Ordinal);
        Assert.All(seen.Zip(seen.Skip(1)), pair => Assert.Single(pair.First.Zip(pair.Second), node => node.First != node.Second));
    }

    [Fact]
    public void BadOptionsAndCancellation()
    {
        using var denoiser = Mixture();
        Assert.Throws<InvalidInputException>(() => new AysOptimizer(Context(denoiser), new AysOptions { Points = 8 }));
        Assert.Throws<InvalidInputException>(
            () => new AysOptimizer(Context(denoiser)).Search(Request(100) with { Steps = [128] }, cancellation: Token));
        var other = Context(denoiser) with { TrainingImages = () => new SyntheticImages(new ImageShape(1, 6, 6), 0, 1, 10) };
        Assert.Contains("the model denoises", Assert.Throws<InvalidInputException>(
            () => new AysOptimizer(other).Search(Request(4), cancellation: Token)).Message, StringComparison.Ordinal);
        Assert.Throws<OperationCanceledException>(
            () => new AysOptimizer(Context(denoiser)).Search(Request(4), cancellation: new CancellationToken(true)));
    }
}
