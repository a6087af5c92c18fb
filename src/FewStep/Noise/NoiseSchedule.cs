namespace FewStep.Noise;

/// <summary>The noise of a variance-preserving model as a function of its own time t: x_t = alpha(t) (x0 + sigma(t) n) with unit noise n
/// and alpha = 1 / sqrt(1 + sigma^2).</summary>
/// <remarks>
/// sigma is the ratio of noise to signal, which is EDM's sigma(t); alpha is EDM's scale s(t) (Karras et al. 2022, section 2). Not to be
/// mixed up with a <see cref="SamplingSchedule"/>, the list of sigmas that a sampler visits. sigma increases with t.
/// </remarks>
public abstract class NoiseSchedule
{
    /// <summary>Name in model configurations, e.g. <c>vp-linear</c>.</summary>
    public abstract string Name { get; }

    /// <summary>The time at which sigma is 0; 0 for nearly every schedule.</summary>
    public virtual double MinimumTime => 0;

    /// <summary>The times of the schedule end here; infinity where they do not end. Never reached where sigma would be infinite.</summary>
    public abstract double MaximumTime { get; }

    /// <summary>Noise level at time t.</summary>
    /// <param name="t">Time, at least <see cref="MinimumTime"/> and below <see cref="MaximumTime"/>.</param>
    /// <returns>sigma(t), 0 or more; increases with t.</returns>
    /// <exception cref="ArgumentOutOfRangeException">t is out of range.</exception>
    public double Sigma(double t)
    {
        if (!(t >= MinimumTime) || !(t < MaximumTime))
        {
            throw new ArgumentOutOfRangeException(nameof(t), t,
                InvariantText.Of($"Times of the noise schedule {Name} are at least {MinimumTime} and below {MaximumTime}."));
        }

        return SigmaAt(t);
    }

    /// <summary>The time at which the noise level is sigma: the inverse of <see cref="Sigma"/>.</summary>
    /// <param name="sigma">Noise level, finite, 0 or more.</param>
    /// <exception cref="ArgumentOutOfRangeException">sigma is out of range.</exception>
    public double Time(double sigma)
    {
        if (!(sigma >= 0) || !double.IsFinite(sigma))
            throw new ArgumentOutOfRangeException(nameof(sigma), sigma, "A noise level is finite and 0 or more.");
        return TimeAt(sigma);
    }

    /// <summary>sigma(t) for a checked t.</summary>
    /// <param name="t">Time.</param>
    protected abstract double SigmaAt(double t);

    /// <summary>t(sigma) for a checked sigma.</summary>
    /// <param name="sigma">Noise level.</param>
    protected abstract double TimeAt(double sigma);
}
