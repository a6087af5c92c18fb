namespace FewStep.Noise;

/// <summary>The time of rectified flows, x_t = (1 - t) x0 + t n: t = sigma / (1 + sigma), from 0 to 1, where sigma is infinite (Liu et al.
/// 2022).</summary>
internal static class FlowTime
{
    /// <summary>What names their noise.</summary>
    public const string NoiseName = "rectified-flow";

    /// <summary>The smallest time of models that do not say theirs; the largest is 1 less it.</summary>
    public const double UsualFirst = 0.001;

    /// <summary>Noise levels of models that do not say theirs.</summary>
    public const double UsualSigmaMin = UsualFirst / (1 - UsualFirst), UsualSigmaMax = (1 - UsualFirst) / UsualFirst;

    public static double Of(double sigma) => sigma / (1 + sigma);

    /// <param name="t">0 to below 1.</param>
    public static double Sigma(double t) => t / (1 - t);

    /// <summary>t' = shift t / (1 + (shift - 1) t) (Esser et al. 2024, equation 23).</summary>
    public static double Shifted(double t, double shift) => shift * t / (1 + (shift - 1) * t);

    /// <summary>The time that <see cref="Shifted"/> takes to t.</summary>
    public static double Unshifted(double t, double shift) => t / (shift - ((shift - 1) * t));
}
