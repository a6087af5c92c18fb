using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>The training loss of variance-preserving models (Song et al. 2011.13456; EDM, 2206.00364, table 1, column VP): uniform time, weight 1 / s^2, which is the mean square of the noise's error.</summary>
/// <param name="BetaD">Slope of beta over the time 0 to 1; default 19.9.</param>
/// <param name="BetaMin">beta at time 0; default 0.1.</param>
/// <param name="SmallestTime">Times are uniform from here to 1; default 1e-5.</param>
public sealed record VpLoss(double BetaD = 19.9, double BetaMin = 0.1, double SmallestTime = 1e-5) : TrainingLoss
{
    /// <inheritdoc/>
    public override Tensor DrawSigma(long batch, Generator generator)
    {
        // In float64: sigma^2 = exp(v) - 1 with v down to 1e-6.
        var t = rand([batch], dtype: ScalarType.Float64, generator: generator).Times(1 - SmallestTime).Plus(SmallestTime);
        return (t * t.Times(BetaD / 2).Plus(BetaMin)).expm1().sqrt().to(ScalarType.Float32);
    }

    /// <inheritdoc/>
    public override Tensor Weight(Tensor sigma) => sigma.Squared().reciprocal();
}
