using FewStep.Solvers;

namespace FewStep.Sampling;

/// <summary>Dynamic thresholding (Saharia et al. 2022, section 2.3): an image whose values leave the data's range [-1, 1] is clamped at a
/// high quantile of their magnitudes and scaled back.</summary>
internal static class DynamicThreshold
{
    private const double Quantile = 0.995;

    /// <summary>The output as the solver sees it: limited where it asks for that, else as it is.</summary>
    public static Tensor For(ISolver solver, Tensor denoised) => solver.ThresholdsDenoised ? Limit(denoised) : denoised;

    /// <summary>D := clamp(D, -s, s) / s with s = max(1, the 0.995 quantile of |D| over the image), by linear interpolation between order
    /// statistics.</summary>
    /// <param name="denoised">D [B,C,H,W].</param>
    /// <returns>A new tensor; the caller owns it.</returns>
    public static Tensor Limit(Tensor denoised)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        long values = denoised.numel() / denoised.shape[0];
        double position = Quantile * (values - 1);
        long below = (long)position;

        // The largest values alone: torch's own quantile sorts everything, and refuses batches of more than 2^24 values.
        var (largest, _) = denoised.reshape(denoised.shape[0], values).abs().topk((int)(values - below), dim: 1, sorted: true);
        var low = largest.select(1, values - below - 1);
        var high = largest.select(1, Math.Max(0, values - below - 2));
        var s = low.lerp(high, position - below).clamp_min_(TensorArithmetic.One).view(-1, 1, 1, 1);
        return denoised.minimum(s).maximum(-s).div_(s).MoveToOuterDisposeScope();
    }
}
