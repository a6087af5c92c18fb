namespace FewStep.Noise;

/// <summary>EDM's noise: sigma(t) = t, alpha = 1 (Karras et al. 2022, Table 1, "Ours").</summary>
public sealed class EdmNoise : NoiseSchedule
{
    /// <inheritdoc/>
    public override string Name => "edm";

    /// <inheritdoc/>
    public override double MaximumTime => double.PositiveInfinity;

    /// <inheritdoc/>
    protected override double SigmaAt(double t) => t;

    /// <inheritdoc/>
    protected override double TimeAt(double sigma) => sigma;

    /// <inheritdoc/>
    protected override double AlphaOf(double sigma, double t) => 1;
}
