using CsCheck;
using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class JumpCostProgramTests
{
    [Fact]
    public void ItFindsWhatBruteForceFinds() =>
        Gen.Select(Gen.Int[2, 8], Gen.Double[-1, 3].Array[64], Gen.Double[0.5, 2]).Sample(problem =>
        {
            (int points, double[] numbers, double coefficient) = problem;
            double[][] cost = [.. Enumerable.Range(0, points).Select(i => numbers[(i * points)..((i + 1) * points)])];
            var program = JumpCostProgram.Solve(cost, points - 1, coefficient);
            for (int steps = 1; steps < points; steps++)
            {
                double Cost(int[] path) => Enumerable.Range(0, steps).Sum(k => Math.Pow(coefficient, k) * cost[path[k]][path[k + 1]]);
                double best = SearchModels.Paths(points, steps).Min(Cost);
                int[] found = program.Path(steps);
                Assert.Equal((steps + 1, 0, points - 1), (found.Length, found[0], found[^1]));
                Assert.True(found.Zip(found.Skip(1)).All(pair => pair.First < pair.Second));
                Assert.Equal(best, Cost(found), 1e-9);
            }
        });

    [Fact]
    public void BadProblemsAreRefused()
    {
        double[][] cost = [[0, 1, 2], [0, 0, 1], [0, 0, 0]];
        Assert.Throws<ArgumentOutOfRangeException>(() => JumpCostProgram.Solve(cost, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => JumpCostProgram.Solve(cost, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => JumpCostProgram.Solve(cost, 1, 0));
        cost[0][2] = cost[0][1] = double.NaN;
        Assert.Throws<InvalidInputException>(() => JumpCostProgram.Solve(cost, 2));
    }
}
