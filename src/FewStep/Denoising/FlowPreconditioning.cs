namespace FewStep.Denoising;

/// <summary>
/// Preconditioning of networks trained as rectified flows (Liu et al. 2022): they see x_t = (1 - t) x0 + t n with t = sigma / (1 + sigma)
/// and give the velocity n - x0, so that D = x_t - t u. Of some (SiT, Ma et al. 2401.08740) time runs from the noise to the image: they are
/// told 1 - t, and give x0 - n.
/// </summary>
internal sealed class FlowPreconditioning : IPreconditioning
{
    public FlowPreconditioning(
        double timeScale = 1, bool fromNoise = false, double sigmaMin = FlowTime.UsualSigmaMin, double sigmaMax = FlowTime.UsualSigmaMax)
    {
        SigmaLimits.Check("Rectified flow", sigmaMin, sigmaMax);
        if (!(timeScale is > 0 and <= SigmaLimits.Largest))
        {
            throw new Platform.InvalidInputException(InvariantText.Of(
                $"The scale of a rectified flow's time is {timeScale}; it must be above 0 and at most {SigmaLimits.Largest}."));
        }

        (TimeScale, IsFromNoise, SigmaMin, SigmaMax) = (timeScale, fromNoise, sigmaMin, sigmaMax);
    }

    public double SigmaMin { get; }
    public double SigmaMax { get; }

    /// <summary>Factor of the time in the noise label.</summary>
    public double TimeScale { get; }

    /// <summary>Whether the network's time runs from the noise to the image.</summary>
    public bool IsFromNoise { get; }

    public PreconditioningCoefficients Coefficients(Tensor sigma)
    {
        var scale = sigma.Plus(1).reciprocal(); // 1 - t
        var t = sigma * scale;
        return IsFromNoise ? new(scale, t, scale.clone(), scale.Times(TimeScale)) : new(scale, -t, scale.clone(), t.Times(TimeScale));
    }
}
