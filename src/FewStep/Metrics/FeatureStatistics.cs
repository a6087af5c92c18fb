namespace FewStep.Metrics;

/// <summary>Running count, mean and covariance of feature vectors in float64, which Fréchet distances compare.</summary>
/// <remarks>
/// Batches are merged by the pairwise update of Chan, Golub and LeVeque (1983), which does not cancel where the mean is large against the
/// spread, so the result depends on the batching only to rounding. Owns two tensors that outlive any dispose scope; dispose it. Not safe
/// for concurrent use.
/// </remarks>
internal sealed class FeatureStatistics : IDisposable
{
    public const int MostDimensions = 16384;
    private readonly Tensor _mean; // [d]
    private readonly Tensor _scatter; // [d,d], the sum of (f - mean)(f - mean)^T

    public FeatureStatistics(int dimension)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(dimension, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(dimension, MostDimensions);
        Dimension = dimension;
        _mean = zeros(dimension, dtype: ScalarType.Float64).DetachFromDisposeScope();
        _scatter = zeros(dimension, dimension, dtype: ScalarType.Float64).DetachFromDisposeScope();
    }

    public int Dimension { get; }

    /// <summary>Number n of feature vectors added so far.</summary>
    public long Count { get; private set; }

    /// <summary>Makes statistics from a known count, mean and covariance, as a statistics file holds them.</summary>
    /// <returns>The statistics; the caller owns them.</returns>
    public static FeatureStatistics FromMoments(long count, Tensor mean, Tensor covariance)
    {
        if (count < 2)
            throw new InvalidInputException($"Feature statistics need 2 or more images, not {count}.");
        if (mean.dim() != 1 || mean.shape[0] is < 1 or > MostDimensions || covariance.dim() != 2 || covariance.shape[0] != mean.shape[0]
            || covariance.shape[1] != mean.shape[0])
        {
            throw new InvalidInputException($"Feature statistics need a mean [d] and a covariance [d,d] with d at most {MostDimensions}, "
                + $"not [{string.Join(",", mean.shape)}] and [{string.Join(",", covariance.shape)}].");
        }

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var s = covariance.to_type(ScalarType.Float64);
        if (!AllFinite(mean) || !AllFinite(s))
            throw new InvalidInputException("Feature statistics hold a value that is not finite; compute them again.");
        double largest = s.abs().max().AsDouble();
        if (s.diagonal().min().AsDouble() < 0 || (s - s.t()).abs().max().AsDouble() > 1e-6 * largest)
        {
            throw new InvalidInputException(
                "The covariance of the feature statistics has a negative variance or is not symmetric; compute it again.");
        }

        var made = new FeatureStatistics((int)mean.shape[0]) { Count = count };
        made._mean.copy_(mean);
        made._scatter.copy_(s.Plus(s.t()).Times(0.5 * (count - 1)));
        return made;
    }

    /// <param name="features">Features [B,d], B may be 0, any floating type; not changed and not disposed.</param>
    public void Add(Tensor features)
    {
        if (features.dim() != 2 || features.shape[1] != Dimension)
            throw new ArgumentException($"Features must be [B,{Dimension}], not [{string.Join(",", features.shape)}].", nameof(features));
        long n = features.shape[0];
        if (n == 0)
            return;
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var f = features.to(ScalarType.Float64, _mean.device);
        if (!AllFinite(f))
        {
            throw new InvalidInputException(
                $"A feature of image {Count} to {Count + n - 1} is not finite: the images or the feature network hold NaN or infinity.");
        }

        var m = f.mean([0]);
        var centred = f - m;
        Combine(n, m, centred.t().mm(centred));
    }

    /// <returns>A copy; the caller owns it.</returns>
    public Tensor Mean() => Count > 0 ? _mean.clone() : throw new InvalidOperationException("No features were added: there is no mean.");

    /// <summary>The unbiased covariance [d,d] (divisor n - 1), float64.</summary>
    /// <returns>A new tensor; the caller owns it.</returns>
    public Tensor Covariance() => Count > 1 ? _scatter.Over(Count - 1)
        : throw new InvalidOperationException($"A covariance needs 2 or more feature vectors, not {Count}.");

    /// <summary>Count, mean and scatter (the sum of (f - mean)(f - mean)^T), from which statistics are joined.</summary>
    /// <returns>Tensors by name, which belong to the current dispose scope.</returns>
    public IReadOnlyDictionary<string, Tensor> Moments() => new Dictionary<string, Tensor>
    {
        ["count"] = tensor(new[] { Count }, ScalarType.Int64),
        ["mean"] = _mean.clone(),
        ["scatter"] = _scatter.clone(),
    };

    /// <summary>Adds the features that others' moments are of.</summary>
    /// <param name="moments">What <see cref="Moments"/> gave; stay the caller's.</param>
    /// <exception cref="InvalidInputException">They are of other features, or not finite.</exception>
    public void Join(IReadOnlyDictionary<string, Tensor> moments)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var (mean, scatter) = (moments.Sum("mean", ScalarType.Float64, Dimension), moments.Sum("scatter", ScalarType.Float64, Dimension,
            Dimension));
        long count = moments.Sum("count", ScalarType.Int64, 1).item<long>();
        if (count < 0 || !AllFinite(mean) || !AllFinite(scatter))
            throw new InvalidInputException("A part holds moments of features that are not finite; remove it and run its shard again.");
        if (count > 0)
            Combine(count, mean, scatter);
    }

    public void Dispose()
    {
        _mean.Dispose();
        _scatter.Dispose();
    }

    private static bool AllFinite(Tensor x) => isfinite(x).all().AsBoolean();

    private void Combine(long n, Tensor mean, Tensor scatter)
    {
        double total = Count + n;
        var delta = mean - _mean;
        _scatter.Plus_(scatter).Plus_(delta.outer(delta).Times(Count * (n / total)));
        _mean.Plus_(delta.Times(n / total));
        Count += n;
    }
}
