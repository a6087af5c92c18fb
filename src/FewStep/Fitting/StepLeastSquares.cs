using MathNet.Numerics.LinearAlgebra;

namespace FewStep.Fitting;

/// <summary>The least squares of one step: each image's inner products of what may be added to the step, and of what is to be reached. A
/// dozen unknowns at the most, so the images' own products are kept and any choice of unknowns can be fitted and judged from
/// them.</summary>
internal sealed class StepLeastSquares(int fitted, double ridge)
{
    private readonly List<Matrix<double>> _images = []; // [p+1, p+1], the target last

    /// <summary>Adds a batch.</summary>
    /// <param name="terms">What may be added, and the difference to be reached last; each [B,C,H,W].</param>
    public void Add(IReadOnlyList<Tensor> terms)
    {
        using var scope = NewDisposeScope();
        var rows = stack([.. terms.Select(t => t.to(float64).flatten(1))], 1);
        var products = rows.bmm(rows.transpose(1, 2)).cpu();
        double[] values = products.data<double>().ToArray();
        int n = terms.Count;
        for (int image = 0; image < products.shape[0]; image++)
            _images.Add(Matrix<double>.Build.Dense(n, n, values[(image * n * n)..((image + 1) * n * n)]));
    }

    /// <summary>The weights of the chosen terms that come nearest to the target on the images fitted on, and the mean square distance that
    /// is left on the others, a value of a sum over pixels. Null where they are not finite.</summary>
    public (double[] Weights, double HeldOut)? Solve(int[] chosen)
    {
        int n = _images[0].RowCount - 1;
        double[] weights = new double[n];
        if (chosen.Length > 0)
        {
            var sum = _images.Take(fitted).Aggregate((a, b) => a + b);
            // To unit diagonal, so that the ridge means the same for each.
            double[] scale = [.. chosen.Select(k => sum[k, k] > 0 ? Math.Sqrt(sum[k, k]) : 1)];
            var normal = Matrix<double>.Build.Dense(chosen.Length, chosen.Length,
                (i, j) => (sum[chosen[i], chosen[j]] / (scale[i] * scale[j])) + (i == j ? ridge : 0));
            var right = Vector<double>.Build.Dense(chosen.Length, i => sum[chosen[i], n] / scale[i]);
            var solved = normal.Svd().Solve(right);
            for (int i = 0; i < chosen.Length; i++)
                weights[chosen[i]] = solved[i] / scale[i];
        }

        double heldOut = _images.Skip(fitted).Average(image => Residual(image, weights));
        return double.IsFinite(heldOut) && Array.TrueForAll(weights, double.IsFinite) ? (weights, heldOut) : null;
    }

    private static double Residual(Matrix<double> image, double[] weights)
    {
        var difference = Vector<double>.Build.DenseOfEnumerable([.. weights.Select(w => -w), 1]);
        return difference * image * difference;
    }
}
