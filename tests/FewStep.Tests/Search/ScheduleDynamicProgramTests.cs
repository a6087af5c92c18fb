using CsCheck;
using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class ScheduleDynamicProgramTests
{
    // Random grids, curves with flat stretches, and every kind of weighting.
    private static readonly Gen<(double[] G, double[] L)> Problems =
        Gen.Select(Gen.Double[0.05, 2].Array[2, 10], Gen.OneOf(Gen.Const(0.0), Gen.Double[0, 1]).Array[10],
            Gen.OneOf(Gen.Const(-1.0), Gen.Const(0.0), Gen.Const(1.0), Gen.Const(2.0))).Select((gaps, falls, power) =>
        {
            double u = 3;
            double[] sigmas = [.. gaps.Select(gap => Math.Exp(u -= gap))];
            double loss = 12;
            return (Array.ConvertAll(sigmas, new PowerWeighting(power).Value),
                falls.Take(gaps.Length).Select(fall => loss -= fall).ToArray());
        });

    [Fact]
    public void ItFindsWhatBruteForceFinds() =>
        Problems.Sample(problem =>
        {
            int most = problem.G.Length - 1;
            var program = ScheduleDynamicProgram.Solve(problem.G, problem.L, most);
            for (int steps = 1; steps <= most; steps++)
            {
                double best = BruteForce(problem.G, problem.L, 0, steps);
                int[] path = program.Path(steps);
                Assert.Equal((steps + 1, 0, problem.G.Length - 1), (path.Length, path[0], path[^1]));
                Assert.All(path.Zip(path.Skip(1)), pair => Assert.True(pair.First < pair.Second));
                Assert.Equal(best, Loss(problem.G, problem.L, path), 1e-12 * Math.Abs(best));
            }
        });

    [Fact]
    public void MoreStepsNeverCostMore() =>
        Problems.Sample(problem =>
        {
            int most = problem.G.Length - 1;
            var program = ScheduleDynamicProgram.Solve(problem.G, problem.L, most);
            double[] losses = [.. Enumerable.Range(1, most).Select(steps => Loss(problem.G, problem.L, program.Path(steps)))];
            Assert.All(losses.Zip(losses.Skip(1)), pair => Assert.True(pair.Second <= pair.First + (1e-12 * Math.Abs(pair.First))));
        });

    private static double Loss(double[] g, double[] losses, int[] path)
        => path.Zip(path.Skip(1)).Sum(pair => (g[pair.Second] - g[pair.First]) * losses[pair.First]);

    [Fact]
    public void BadProblemsAreRefused()
    {
        Assert.Throws<ArgumentException>(() => ScheduleDynamicProgram.Solve([0, 1], [1, 2], 1));
        Assert.Throws<ArgumentException>(() => ScheduleDynamicProgram.Solve([1, 0], [2, 1], 1));
        Assert.Throws<ArgumentException>(() => ScheduleDynamicProgram.Solve([0, 1], [2, 1], 2));
        Assert.Throws<ArgumentException>(() => ScheduleDynamicProgram.Solve([0, double.NaN], [2, 1], 1));
        Assert.Throws<ArgumentOutOfRangeException>(() => ScheduleDynamicProgram.Solve([0, 1], [2, 1], 1).Path(2));
    }

    private static double BruteForce(double[] g, double[] losses, int at, int steps)
    {
        int last = g.Length - 1;
        if (steps == 1)
            return (g[last] - g[at]) * losses[at];
        double best = double.PositiveInfinity;
        for (int next = at + 1; next <= last - steps + 1; next++)
            best = Math.Min(best, ((g[next] - g[at]) * losses[at]) + BruteForce(g, losses, next, steps - 1));
        return best;
    }
}
