namespace FewStep.Noise;

/// <summary>Which time a network that was trained on whole times is told for a sigma between two of their levels. The factors of its input and output follow sigma itself either way.</summary>
/// <remarks>The rules differ for sigmas near the middle of two levels only, but a network is told another time there, so what another implementation does must be done here to agree with it.</remarks>
public enum TimeRounding
{
    /// <summary>The time of the level nearest to sigma, the lower one of two that are as near: NVlabs/edm's rounding, by which checkpoints of openai/guided-diffusion are read.</summary>
    NearestSigma,

    /// <summary>The time of the level nearest in ln sigma, as programs with k-diffusion's samplers have it.</summary>
    NearestLogarithm,

    /// <summary>A time between two whole ones, linear in ln sigma, for networks that are told times as real numbers.</summary>
    Between,
}
