namespace FewStep.Metrics;

/// <summary>The Inception score (Salimans et al. 2016): exp of the mean Kullback-Leibler divergence of an image's class probabilities from
/// their mean, per consecutive part of the set. Streaming, in float64.</summary>
internal sealed class ClassScore : IDisposable
{
    private readonly Tensor _sums; // [splits, classes]: sums of the probabilities
    private readonly double[] _negativeEntropies;
    private readonly long[] _counts;
    private readonly long _images;
    private long _seen;

    public ClassScore(int classes, long images, int splits)
    {
        int parts = (int)Math.Clamp(splits, 1, Math.Max(images, 1));
        _sums = zeros([parts, classes], dtype: ScalarType.Float64).DetachFromDisposeScope();
        (_negativeEntropies, _counts, _images) = (new double[parts], new long[parts], images);
    }

    /// <param name="logits">[B,classes]; not changed and not disposed.</param>
    public void Add(Tensor logits)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var p = logits.to(ScalarType.Float64, CPU).softmax(1);
        var negativeEntropies = p.xlogy(p).sum(1).data<double>().ToArray();
        for (int i = 0; i < negativeEntropies.Length; i++, _seen++)
        {
            int part = (int)Math.Min(_seen * _counts.Length / _images, _counts.Length - 1);
            _negativeEntropies[part] += negativeEntropies[i];
            _counts[part]++;
            _sums[part].Plus_(p[i]);
        }
    }

    /// <summary>Mean over the parts, and their sample standard deviation; null for a single part.</summary>
    public MetricValue Value()
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var scores = new List<double>();
        for (int part = 0; part < _counts.Length; part++)
        {
            if (_counts[part] > 0)
            {
                var mean = _sums[part].Over(_counts[part]);
                // mean KL(p | mean) = mean of sum p log p - sum mean log mean
                scores.Add(Math.Exp((_negativeEntropies[part] / _counts[part]) - mean.xlogy(mean).sum().AsDouble()));
            }
        }

        var spread = SeedRangeSpread.Of(scores);
        return new(spread.Mean, spread.StandardDeviation);
    }

    public void Dispose() => _sums.Dispose();
}
