namespace FewStep.Noise;

/// <summary>The noise of rectified flows: x_t = (1 - t) x0 + t n, so alpha(t) = 1 - t and sigma(t) = t / (1 - t) (Liu et al. 2022).</summary>
public sealed class RectifiedFlowNoise : NoiseSchedule
{
    /// <inheritdoc/>
    public override string Name => "rectified-flow";

    /// <inheritdoc/>
    public override double MaximumTime => 1;

    /// <inheritdoc/>
    protected override double SigmaAt(double t) => t / (1 - t);

    /// <inheritdoc/>
    protected override double TimeAt(double sigma) => sigma / (1 + sigma);

    /// <inheritdoc/>
    protected override double AlphaOf(double sigma, double t) => 1 - t;
}
