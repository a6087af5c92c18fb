namespace FewStep.Noise;

/// <summary>The variance-exploding noise: sigma(t) = sqrt(t), alpha = 1 (Karras et al. 2022, Table 1, "VE").</summary>
public sealed class VarianceExplodingNoise : NoiseSchedule
{
    /// <inheritdoc/>
    public override string Name => "ve";

    /// <inheritdoc/>
    public override double MaximumTime => double.PositiveInfinity;

    /// <inheritdoc/>
    protected override double SigmaAt(double t) => Math.Sqrt(t);

    /// <inheritdoc/>
    protected override double TimeAt(double sigma) => sigma * sigma;

    /// <inheritdoc/>
    protected override double AlphaOf(double sigma, double t) => 1;
}
