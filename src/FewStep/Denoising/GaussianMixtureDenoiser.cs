using TorchSharp;

namespace FewStep.Denoising;

/// <summary>The exact denoiser of a Gaussian mixture, so that solvers and searches can be checked against the truth.</summary>
/// <remarks>
/// D(x; s) = sum_k r_k (m_k + c_k^2 / (c_k^2 + s^2) (x - m_k)) with r_k the posterior probability of component k at x, computed as a
/// softmax of logarithms. It works in the type of x.
/// </remarks>
internal sealed class GaussianMixtureDenoiser : IDenoiser, IDisposable
{
    private readonly Tensor _means; // [K,d] float64
    private readonly Tensor _variances; // [1,K] float64
    private readonly Tensor _logWeights; // [1,K] float64
    private readonly Tensor _componentClasses; // [1,K] int64

    public GaussianMixtureDenoiser(GaussianMixture mixture, double sigmaMin = 0.002, double sigmaMax = 80)
    {
        if (!(sigmaMin > 0) || !(sigmaMax > sigmaMin) || !double.IsFinite(sigmaMax))
        {
            throw new InvalidInputException(
                $"Noise levels must be finite with 0 < sigma_min < sigma_max; they are sigma_min {sigmaMin:R}, sigma_max {sigmaMax:R}.");
        }

        Mixture = mixture;
        (SigmaMin, SigmaMax) = (sigmaMin, sigmaMax);
        long components = mixture.Weights.Length;
        using var scope = NewDisposeScope();
        _means = tensor(mixture.Means.SelectMany(m => m).ToArray(), float64).view(components, -1).DetachFromDisposeScope();
        _variances = tensor(mixture.Stds.Select(c => c * c).ToArray(), float64).view(1, components).DetachFromDisposeScope();
        _logWeights = tensor(mixture.Weights.Select(Math.Log).ToArray(), float64).view(1, components).DetachFromDisposeScope();
        long[] classes = mixture.Classes == 0 ? new long[components] : [.. mixture.ComponentClasses.Select(c => (long)c)];
        _componentClasses = tensor(classes).view(1, components).DetachFromDisposeScope();
    }

    public GaussianMixture Mixture { get; }
    public ImageShape Shape => Mixture.Shape;
    public int Classes => Mixture.Classes;
    public double SigmaMin { get; }
    public double SigmaMax { get; }

    public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
    {
        CheckArguments(x, sigma, labels);
        using var scope = NewDisposeScope();
        long d = Shape.Dimension;
        var means = _means.to(x.dtype, x.device);
        var variances = _variances.to(x.dtype, x.device);
        var logWeights = _logWeights.to(x.dtype, x.device);
        var rows = x.reshape(-1, d);

        var s2 = sigma.Squared().unsqueeze(1); // [B,1] or [1,1]
        var v = variances.Plus(s2); // c_k^2 + s^2
        // Without the matrix product: its |x|^2 - 2 x.m + |m|^2 cancels where x is close to a mean.
        var distance2 = cdist(rows, means, 2, compute_mode.donot_use_mm_for_euclid_dist).Squared(); // [B,K]
        var logits = logWeights - v.log().Times(0.5 * d) - distance2.Times(0.5) / v;
        if (labels is not null && Classes > 0)
        {
            var wanted = labels.to(x.device).unsqueeze(1);
            using var impossible = TensorArithmetic.Number(double.NegativeInfinity);
            logits = logits.masked_fill((wanted >= TensorArithmetic.Zero) & (wanted != _componentClasses.to(x.device)), impossible);
        }

        var r = logits.softmax(1);
        var a = variances / v;
        var pull = (r * a).sum(1, keepdim: true); // weight of x
        var D = (r * (s2 / v)).matmul(means).Plus(pull * rows);
        return D.view(x.shape).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _means.Dispose();
        _variances.Dispose();
        _logWeights.Dispose();
        _componentClasses.Dispose();
    }

    private void CheckArguments(Tensor x, Tensor sigma, Tensor? labels)
    {
        if (x.dtype is not (ScalarType.Float32 or ScalarType.Float64))
            throw new ArgumentException($"x is {x.dtype}; it must be float32 or float64.", nameof(x));
        if (x.dim() != 4 || !x.shape.AsSpan(1).SequenceEqual(Shape.Batch(1).AsSpan(1)))
        {
            throw new ArgumentException(
                $"x has shape [{string.Join(", ", x.shape)}]; it must be [B, {Shape.Channels}, {Shape.Height}, {Shape.Width}].", nameof(x));
        }

        if (sigma.dim() != 1 || (sigma.shape[0] != 1 && sigma.shape[0] != x.shape[0]) || sigma.dtype != x.dtype)
        {
            throw new ArgumentException(
                $"sigma is {sigma.dtype} [{string.Join(", ", sigma.shape)}]; it must be {x.dtype} [B] or [1].", nameof(sigma));
        }

        if (labels is not null && (labels.dtype != ScalarType.Int64 || labels.dim() != 1 || labels.shape[0] != x.shape[0]))
        {
            throw new ArgumentException(
                $"labels are {labels.dtype} [{string.Join(", ", labels.shape)}]; they must be int64 [B].", nameof(labels));
        }

        if (labels is not null && Classes > 0 && labels.max().item<long>() >= Classes)
            throw new ArgumentException($"A label is {labels.max().item<long>()}; classes are 0 to {Classes - 1}.", nameof(labels));
    }
}
