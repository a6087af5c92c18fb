using FewStep.Fitting;
using FewStep.Metrics;
using FewStep.Sampling;
using FewStep.Solvers;
using MathNet.Numerics.LinearAlgebra;

namespace FewStep.Matching;

/// <summary>The Fréchet distance between a sampler's images and real ones. Owns its tensors.</summary>
/// <remarks>
/// The distance of two Gaussians whose covariances are S and V changes by the trace of (I - T) dS, where T is the map that carries one
/// Gaussian to the other (T S T = V), and in second order, near S, by sum_ij dS_ij^2 / (2 (s_i + s_j)) in the directions of S, of variances
/// s: the Bures metric (Bhatia, Jain and Lim 2019). The derivatives of means and covariances follow from those of the images.
/// </remarks>
internal sealed class MomentDistance : IImageDistance, IDisposable
{
    private const int MostDirections = 256;
    private const double LeastEffect = 0.01; // of the distance: a value that moves it less by one of its units is hardly worth moving
    private const double AddedVariance = 0.01; // of the mean one, to both covariances: the least directions would count for everything

    private readonly IDenoiser _denoiser;
    private readonly FitLatents _latents;
    private readonly Func<Tensor, Tensor?> _features;
    private readonly Tensor _mean, _directions, _variances; // [d], [d,k], [k]
    private readonly double _added;
    private readonly FeatureStatistics _real;

    /// <param name="features">A sampler's images as features [B,d], which belong to the current dispose scope; null where they are not
    /// finite.</param>
    /// <param name="real">Of real images' features; not disposed.</param>
    public MomentDistance(IDenoiser denoiser, FitLatents latents, Func<Tensor, Tensor?> features, FeatureStatistics real)
    {
        (_denoiser, _latents, _features) = (denoiser, latents, features);
        using var scope = NewDisposeScope();
        var (values, vectors) = linalg.eigh(real.Covariance());
        long kept = Math.Min(real.Dimension, MostDirections);
        var variances = values.narrow(0, real.Dimension - kept, kept).clamp_min(TensorArithmetic.Zero); // eigh sorts upwards
        _mean = real.Mean().DetachFromDisposeScope();
        _directions = vectors.narrow(1, real.Dimension - kept, kept).contiguous().DetachFromDisposeScope();
        _variances = variances.clone().DetachFromDisposeScope();
        _added = AddedVariance * variances.mean().AsDouble();
        _real = FeatureStatistics.FromMoments(real.Count, zeros_like(_variances), diag(_variances));
    }

    public Tensor Embed(Tensor images) => _features(images)
        ?? throw new InvalidInputException("The sampler's images are not finite, so nothing says how far they are from real ones.");

    public (double Fitted, double HeldOut) Value(ISolver solver, SamplingSchedule schedule, CancellationToken cancellation)
    {
        var loop = new SamplingLoop(_denoiser, solver, schedule);
        return (Distance(_latents.Batches.Take(_latents.FittedBatches)), Distance(_latents.HeldOutBatches));

        double Distance(IEnumerable<int> batches)
        {
            using var statistics = new FeatureStatistics(_real.Dimension);
            foreach (int b in batches)
            {
                using var scope = NewDisposeScope();
                var samples = loop.Sample(_latents.Noise(b), _latents.Labels(b), cancellationToken: cancellation).Samples;
                if (_features(samples) is not { } features)
                    return double.PositiveInfinity; // a step that went too far
                statistics.Add(Turned(features));
            }

            return FrechetDistance.Between(statistics, _real);
        }
    }

    public string Describe(double squared) => InvariantText.Of($"Fréchet distance {squared:G4}");

    public INormalEquations Equations() => new Sums(this);

    public void Dispose()
    {
        foreach (var tensor in new[] { _mean, _directions, _variances })
            tensor.Dispose();
        _real.Dispose();
    }

    // In the directions of the real images' covariance, from their mean.
    private Tensor Turned(Tensor embedded) => (embedded.to(float64).cpu() - _mean).matmul(_directions);

    private sealed class Sums(MomentDistance owner) : INormalEquations
    {
        private long _count;
        private Tensor[]? _sums; // of the images and their products, and of the derivatives of both

        public void Add(int batch, Tensor derivatives, Tensor images)
        {
            using var scope = NewDisposeScope();
            var z = owner.Turned(images); // [B,k]
            var dz = derivatives.to(float64).cpu().matmul(owner._directions); // [B,n,k]
            var products = dz.permute(1, 2, 0).matmul(z);
            Tensor[] sums = [z.sum([0L]), z.t().mm(z), dz.sum([0L]), products.Plus(products.transpose(1, 2))];
            _count += z.shape[0];
            if (_sums is null)
            {
                _sums = [.. sums.Select(s => s.DetachFromDisposeScope())];
                return;
            }

            foreach (var (sum, part) in _sums.Zip(sums))
                sum.Plus_(part);
        }

        public (Matrix<double> Normal, Vector<double> Gradient) Finish()
        {
            using var scope = NewDisposeScope();
            Tensor[] means = [.. _sums!.Select(s => s.Over(_count))];
            var (mean, dMean) = (means[0], means[2]);
            var covariance = means[1] - mean.outer(mean);
            var crossed = dMean.unsqueeze(2) * mean;
            var dCovariance = means[3] - crossed - crossed.transpose(1, 2);
            var added = eye(mean.shape[0], dtype: float64).Times(owner._added);
            var (variances, directions) = linalg.eigh(covariance.Plus(added));
            var (map, distance) = Map(variances, directions, diag(owner._variances).Plus(added));
            var weights = variances.unsqueeze(0).Plus(variances.unsqueeze(1)).Times(2).rsqrt();
            var turned = directions.t().matmul(dCovariance).matmul(directions);
            var jacobian = cat([dMean, (turned * weights).flatten(1)], 1);
            var falls = eye(mean.shape[0], dtype: float64) - map;
            var gradient = dMean.mv(mean).Plus((dCovariance * falls).sum([1L, 2L]).Times(0.5));
            int n = (int)jacobian.shape[0];
            double least = LeastEffect * (distance + mean.dot(mean).AsDouble());
            return (Matrix<double>.Build.DenseOfRowMajor(n, n, jacobian.mm(jacobian.t()).data<double>())
                + Matrix<double>.Build.DenseDiagonal(n, n, least), Vector<double>.Build.Dense(gradient.data<double>().ToArray()));
        }

        // T with T S T = V, for S of these variances in these directions, and how far S and V are from each other.
        private static (Tensor Map, double Distance) Map(Tensor variances, Tensor directions, Tensor real)
        {
            var root = (directions * variances.sqrt()).mm(directions.t());
            var inverse = (directions * variances.rsqrt()).mm(directions.t());
            var (values, vectors) = linalg.eigh(root.mm(real).mm(root));
            var roots = values.clamp_min(TensorArithmetic.Zero).sqrt();
            double distance = variances.sum().AsDouble() + real.trace().AsDouble() - (2 * roots.sum().AsDouble());
            return (inverse.mm((vectors * roots).mm(vectors.t())).mm(inverse), distance);
        }

        public void Dispose()
        {
            foreach (var sum in _sums ?? [])
                sum.Dispose();
        }
    }
}
