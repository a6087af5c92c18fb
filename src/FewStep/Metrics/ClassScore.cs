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

    /// <param name="images">Images of the whole set.</param>
    /// <param name="skipped">Images of it that come before those that are scored here; default 0.</param>
    public ClassScore(int classes, long images, int splits, long skipped = 0)
    {
        _seen = skipped;
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

    /// <summary>What is kept of the images.</summary>
    /// <returns>Tensors by name, which belong to the current dispose scope.</returns>
    public IReadOnlyDictionary<string, Tensor> Sums() => new Dictionary<string, Tensor>
    {
        ["probabilities"] = _sums.clone(),
        ["negative_entropies"] = JoinedSums.Of(_negativeEntropies),
        ["counts"] = tensor(_counts, ScalarType.Int64),
    };

    /// <summary>Adds the sums of other images of the set; stay the caller's.</summary>
    public void Join(IReadOnlyDictionary<string, Tensor> sums)
    {
        using var scope = NewDisposeScope();
        int parts = _counts.Length;
        var entropies = sums.Sum("negative_entropies", ScalarType.Float64, parts).data<double>().ToArray();
        long[] counts = sums.Sum("counts", ScalarType.Int64, parts).data<long>().ToArray();
        _sums.Plus_(sums.Sum("probabilities", ScalarType.Float64, parts, _sums.shape[1]));
        for (int part = 0; part < parts; part++)
        {
            _negativeEntropies[part] += entropies[part];
            _counts[part] += counts[part];
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
