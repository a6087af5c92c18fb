using MathNet.Numerics.LinearAlgebra;

namespace FewStep.Fitting;

/// <summary>The least squares of one step: each image's inner products of what may be added to the step, of where it leads without, and
/// of what is to be reached. A dozen unknowns at the most, so any choice of unknowns can be fitted and judged from these products
/// alone.</summary>
/// <param name="fitted">How many images, the first, are fitted on; the others judge.</param>
/// <param name="keepMeanSquare">Whether the states reached are as large as those to be reached, on average.</param>
internal sealed class StepLeastSquares(int fitted, double ridge, bool keepMeanSquare)
{
    // [p+2, p+2] each: the terms, the base's next state, what is missing from there.
    private readonly List<Matrix<double>> _heldOut = [];
    private Matrix<double>? _sum; // of the images fitted on
    private int _added;

    /// <summary>Adds a batch; all are [B,C,H,W].</summary>
    /// <param name="terms">What may be added.</param>
    /// <param name="next">Where the step leads if nothing is.</param>
    /// <param name="target">Where it should lead.</param>
    public void Add(IReadOnlyList<Tensor> terms, Tensor next, Tensor target)
    {
        using var scope = NewDisposeScope();
        var rows = stack([.. terms.Append(next).Append(target - next).Select(t => t.to(float64).flatten(1))], 1);
        var products = rows.bmm(rows.transpose(1, 2)).cpu();
        double[] values = products.data<double>().ToArray();
        int n = terms.Count + 2;
        for (int image = 0; image < products.shape[0]; image++)
        {
            var own = Matrix<double>.Build.Dense(n, n, values[(image * n * n)..((image + 1) * n * n)]);
            if (_added++ < fitted)
                _sum = _sum is null ? own : _sum + own;
            else
                _heldOut.Add(own);
        }
    }

    /// <summary>The weights of the chosen terms that come nearest to the target on the images fitted on, of those that keep its mean square
    /// if they shall, and the mean square distance that is left on the others, a value of a sum over pixels. Null where they are not
    /// finite.</summary>
    public (double[] Weights, double HeldOut)? Solve(int[] chosen)
    {
        var sum = _sum ?? throw new InvalidOperationException("There is no image to fit on.");
        int n = sum.RowCount - 2;
        double[] weights = new double[n];
        if (chosen.Length > 0)
        {
            // To unit diagonal, so that the ridge means the same for each.
            double[] scale = [.. chosen.Select(k => sum[k, k] > 0 ? Math.Sqrt(sum[k, k]) : 1)];
            var products = Matrix<double>.Build.Dense(
                chosen.Length, chosen.Length, (i, j) => sum[chosen[i], chosen[j]] / (scale[i] * scale[j]));
            var inverse = (products + (ridge * Matrix<double>.Build.DenseIdentity(chosen.Length))).Svd();
            var solved = inverse.Solve(With(n + 1));
            if (keepMeanSquare)
                solved = Enlarged(solved, inverse.Solve(With(n)));
            for (int i = 0; i < chosen.Length; i++)
                weights[chosen[i]] = solved[i] / scale[i];

            Vector<double> With(int row) => Vector<double>.Build.Dense(chosen.Length, i => sum[chosen[i], row] / scale[i]);

            // The state reached is a part that the terms span and one that they leave as it is. By Lagrange's rule the nearest state of a
            // given mean square has the first multiplied (with a ridge, nearly). Where the other alone is too large there is none.
            Vector<double> Enlarged(Vector<double> nearest, Vector<double> ofNext)
            {
                var (spanned, next) = (nearest + ofNext, With(n));
                double square = spanned * products * spanned, linear = (spanned * next) - (spanned * products * ofNext);
                double left = (ofNext * products * ofNext) - (2 * (ofNext * next)) - (2 * sum[n, n + 1]) - sum[n + 1, n + 1];
                double factor = (-linear + Math.Sqrt((linear * linear) - (square * left))) / square;
                return double.IsFinite(factor) && factor > 0 ? (spanned * factor) - ofNext : nearest;
            }
        }

        double heldOut = _heldOut.Average(image => Residual(image, weights));
        return double.IsFinite(heldOut) && Array.TrueForAll(weights, double.IsFinite) ? (weights, heldOut) : null;
    }

    private static double Residual(Matrix<double> image, double[] weights)
    {
        var difference = Vector<double>.Build.DenseOfEnumerable([.. weights.Select(w => -w), 0, 1]);
        return difference * image * difference;
    }
}
