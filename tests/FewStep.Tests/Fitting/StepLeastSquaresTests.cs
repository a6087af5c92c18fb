using FewStep.Fitting;

namespace FewStep.Tests.Fitting;

public sealed class StepLeastSquaresTests
{
    [Fact]
    public void Weights_that_made_the_target_are_found()
    {
        var (squares, _) = Make(new double[] { 0.5, -2, 0.25 }, noise: 0);
        var found = squares.Solve([0, 1, 2])!.Value;
        Assert.Equal([0.5, -2, 0.25], found.Weights, (a, b) => Math.Abs(a - b) < 1e-4);
        Assert.InRange(found.HeldOut, 0, 1e-6);
    }

    [Fact]
    public void More_unknowns_never_raise_the_residual_fitted_on()
    {
        var (squares, fitted) = Make([0.5, -2, 0.25], noise: 1);
        double[] residuals = [.. new int[][] { [], [0], [0, 1], [0, 1, 2] }.Select(c => fitted(squares.Solve(c)!.Value.Weights))];
        Assert.True(residuals.Zip(residuals.Skip(1)).All(p => p.Second <= p.First), string.Join(", ", residuals));
    }

    [Fact]
    public void What_is_not_chosen_has_no_weight()
    {
        var (squares, _) = Make([1, 1, 1], noise: 1);
        Assert.Equal([0, 0], new[] { squares.Solve([1])!.Value.Weights[0], squares.Solve([1])!.Value.Weights[2] });
    }

    [Fact]
    public void Terms_that_say_the_same_share_a_finite_weight()
    {
        using var scope = NewDisposeScope();
        var term = randn(20, 1, 2, 2, generator: new Generator(1));
        var squares = new StepLeastSquares(10, 1e-6, keepMeanSquare: false);
        squares.Add([term, term], zeros_like(term), term.Times(3));
        var weights = squares.Solve([0, 1])!.Value.Weights;
        Assert.Equal(1.5, weights[0], 3);
        Assert.Equal(1.5, weights[1], 3);
    }

    // A part of the target is noise of its own, which no term predicts.
    [Theory]
    [InlineData(1e-9)]
    [InlineData(0.3)]
    public void The_mean_square_of_what_is_reached_is_kept_by_the_nearest_weights(double ridge)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var (first, second) = (Random(), Random());
        var next = Random() + first.Times(0.5);
        var target = next + first.Times(1.2) + second.Times(-0.7) + Random();
        double[] Solved(bool keep)
        {
            var squares = new StepLeastSquares(30, ridge, keep);
            squares.Add([first, second], next, target);
            return squares.Solve([0, 1])!.Value.Weights;
        }

        Tensor Reached(double[] weights) => (next + first.Times(weights[0]) + second.Times(weights[1])).narrow(0, 0, 30);
        double Size(double[] weights)
            => Reached(weights).square().mean().item<double>() / target.narrow(0, 0, 30).square().mean().item<double>();
        double Distance(double[] weights) => (Reached(weights) - target.narrow(0, 0, 30)).square().mean().item<double>();
        var (nearest, kept) = (Solved(false), Solved(true));
        Assert.InRange(Size(nearest), 0, 0.9);
        Assert.Equal(1, Size(kept), 6);
        if (ridge > 1e-6)
            return;

        // Whichever way one goes from the nearest until the size is right, one ends no nearer.
        for (double angle = 0; angle < 2 * Math.PI; angle += 0.3)
            Assert.True(Distance(kept) <= Distance(OfThatSize(Math.Cos(angle), Math.Sin(angle))) + 1e-9);

        double[] OfThatSize(double a, double b)
        {
            double low = 0, high = 100;
            double[] At(double length) => [nearest[0] + (a * length), nearest[1] + (b * length)];
            for (int i = 0; i < 40; i++)
            {
                double middle = (low + high) / 2;
                (low, high) = Size(At(middle)) < 1 ? (middle, high) : (low, middle);
            }

            return At(low);
        }

        Tensor Random() => randn(40, 1, 2, 3, dtype: float64, generator: generator);
    }

    [Fact]
    public void Values_that_are_not_finite_have_no_solution()
    {
        using var scope = NewDisposeScope();
        var squares = new StepLeastSquares(2, 1e-6, keepMeanSquare: false);
        squares.Add([ones(4, 1, 1, 1)], zeros(4, 1, 1, 1), full([4, 1, 1, 1], double.NaN));
        Assert.Null(squares.Solve([]));
    }

    private static (StepLeastSquares Squares, Func<double[], double> Fitted) Make(double[] weights, double noise)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(7);
        var terms = weights.Select(_ => randn(30, 1, 2, 3, generator: generator)).ToArray();
        var target = terms.Zip(weights, (t, w) => t.Times(w)).Aggregate((a, b) => a.Plus(b))
            .Plus(randn(30, 1, 2, 3, generator: generator), noise);
        var squares = new StepLeastSquares(20, 1e-8, keepMeanSquare: false);
        foreach (int start in new[] { 0, 12 })
            squares.Add([.. terms.Select(t => Part(t, start))], Part(zeros_like(target), start), Part(target, start));
        double[][] columns = [.. terms.Append(target).Select(t => t.narrow(0, 0, 20).to(float64).data<double>().ToArray())];
        return (squares, w => Enumerable.Range(0, columns[0].Length)
            .Sum(i => Math.Pow(columns[^1][i] - w.Select((v, k) => v * columns[k][i]).Sum(), 2)));

        static Tensor Part(Tensor t, int start) => t.narrow(0, start, start == 0 ? 12 : 18);
    }
}
