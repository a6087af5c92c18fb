namespace FewStep.Noise;

/// <summary>
/// The variance-preserving noise with linearly growing beta: sigma(t) = sqrt(exp(beta_d t^2 / 2 + beta_min t) - 1), alpha = 1 / sqrt(1 +
/// sigma^2) (Karras et al. 2022, Table 1, "VP").
/// </summary>
internal sealed class LinearVpNoise : NoiseSchedule
{
    public LinearVpNoise(double betaMin = 0.1, double betaD = 19.9)
    {
        if (!double.IsFinite(betaMin))
            throw new ArgumentOutOfRangeException(nameof(betaMin), betaMin, "beta_min must be finite.");
        if (!(betaD > 0) || !double.IsFinite(betaD))
            throw new ArgumentOutOfRangeException(nameof(betaD), betaD, "beta_d must be finite and above 0.");
        (BetaMin, BetaD) = (betaMin, betaD);
    }

    public double BetaMin { get; }

    /// <summary>Growth of beta from t = 0 to 1.</summary>
    public double BetaD { get; }

    public override string Name => "vp-linear";
    public override double MinimumTime => Math.Max(0, -2 * BetaMin / BetaD);
    public override double MaximumTime => double.PositiveInfinity;

    /// <summary>The schedule with sigma(1) = sigmaMax and sigma(firstTime) = sigmaMin, as EDM derives it to sample with VP steps between
    /// any two noise levels.</summary>
    public static LinearVpNoise Between(double sigmaMin, double sigmaMax, double firstTime = 1e-3)
    {
        if (!(sigmaMin > 0) || !(sigmaMax > sigmaMin) || !(firstTime > 0) || !(firstTime < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(sigmaMin), sigmaMin,
                $"0 < sigma_min < sigma_max and 0 < first time < 1 must hold; sigma_max is {sigmaMax}, the first time {firstTime}.");
        }

        double u1 = LogOnePlus(sigmaMax * sigmaMax), u0 = LogOnePlus(sigmaMin * sigmaMin);
        double betaD = 2 * (u0 / firstTime - u1) / (firstTime - 1);
        return new LinearVpNoise(u1 - betaD / 2, betaD);
    }

    protected override double SigmaAt(double t)
    {
        double u = t * (BetaD * t / 2 + BetaMin);
        // exp(u) - 1 loses digits for small u.
        return Math.Sqrt(Math.Max(0, 2 * Math.Sinh(u / 2) * Math.Exp(u / 2)));
    }

    protected override double TimeAt(double sigma)
    {
        double u = LogOnePlus(sigma * sigma);
        double root = Math.Sqrt(BetaMin * BetaMin + 2 * BetaD * u);
        // The root of beta_d t^2 / 2 + beta_min t - u, in the form without a difference.
        return BetaMin > 0 ? 2 * u / (BetaMin + root) : (root - BetaMin) / BetaD;
    }

    internal Tensor Sigmas(Tensor t) => (t * t.Times(BetaD / 2).Plus(BetaMin)).expm1().sqrt();

    internal Tensor Times(Tensor sigma)
        => (sigma * sigma).log1p().Times(2 * BetaD).Plus(BetaMin * BetaMin).sqrt().Minus(BetaMin).Over(BetaD);

    // ln(1 + y) loses digits for small y.
    private static double LogOnePlus(double y) => y < 0.5 ? 2 * Math.Atanh(y / (2 + y)) : Math.Log(1 + y);
}
