namespace FewStep.Search;

/// <summary>Weighted least-squares fit by a sequence that never decreases (pool adjacent violators; Ayer et al. 1955).</summary>
internal static class IsotonicRegression
{
    /// <summary>The non-decreasing sequence y that minimises sum w_k (y_k - v_k)^2; unchanged values where they already rise.</summary>
    public static double[] Fit(ReadOnlySpan<double> values, ReadOnlySpan<double> weights)
    {
        if (values.Length != weights.Length)
            throw new ArgumentException($"There are {values.Length} values and {weights.Length} weights.", nameof(weights));
        var mean = new double[values.Length];
        var weight = new double[values.Length];
        var count = new int[values.Length];
        int blocks = 0;
        for (int k = 0; k < values.Length; k++)
        {
            if (!double.IsFinite(values[k]) || !double.IsFinite(weights[k]) || weights[k] <= 0)
            {
                throw new ArgumentException($"Values must be finite and weights finite and above 0: value[{k}] = {values[k]}, weight[{k}] "
                    + $"= {weights[k]}.", nameof(weights));
            }

            (mean[blocks], weight[blocks], count[blocks]) = (values[k], weights[k], 1);
            blocks++;
            while (blocks > 1 && mean[blocks - 2] > mean[blocks - 1])
            {
                double total = weight[blocks - 2] + weight[blocks - 1];
                mean[blocks - 2] += (mean[blocks - 1] - mean[blocks - 2]) * (weight[blocks - 1] / total);
                weight[blocks - 2] = total;
                count[blocks - 2] += count[blocks - 1];
                blocks--;
            }
        }

        var fitted = new double[values.Length];
        for (int block = 0, k = 0; block < blocks; block++)
        {
            fitted.AsSpan(k, count[block]).Fill(mean[block]);
            k += count[block];
        }

        return fitted;
    }
}
