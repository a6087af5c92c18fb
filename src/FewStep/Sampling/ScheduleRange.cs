namespace FewStep.Sampling;

/// <summary>The noise levels between which schedules are made and searched for a model: its own, unless they are said or its own begin far
/// above where sampling does any good.</summary>
internal sealed record ScheduleRange
{
    /// <summary>Largest level of a model of its own at which schedules begin that nobody said more about.</summary>
    /// <remarks>Cosine noise ends above 20,000, where EDM's sampler begins at 80 (Karras et al. 2022, section 5): between the two there is
    /// nothing but noise, and most of few steps would go there. What is below 1,000 is kept: VP (152), VE (100), rectified flows from t =
    /// 0.999 (999), video (700).</remarks>
    public const double LargestKept = 1000;

    private const double Tolerance = 1e-4; // files hold decimal roundings of the model's ends

    private ScheduleRange(double sigmaMin, double sigmaMax) => (SigmaMin, SigmaMax) = (sigmaMin, sigmaMax);

    public double SigmaMin { get; }
    public double SigmaMax { get; }

    /// <summary>The range for a model.</summary>
    /// <param name="sigmaMin">Its smallest level; null for the model's own.</param>
    /// <param name="sigmaMax">Its largest level; null for the model's own, or <see cref="Ceiling"/>.</param>
    public static ScheduleRange Of(IDenoiser denoiser, double? sigmaMin = null, double? sigmaMax = null)
    {
        double low = sigmaMin ?? denoiser.SigmaMin, high = sigmaMax ?? Ceiling(denoiser.SigmaMin, denoiser.SigmaMax);
        if (!(low > 0) || !(high > low) || !double.IsFinite(high))
        {
            throw new InvalidInputException(
                $"Schedules need finite noise levels with 0 < sigma_min < sigma_max, not sigma_min {low:G6} and sigma_max {high:G6}.");
        }

        return IsWithin(low, high, denoiser) ? new ScheduleRange(low, high) : throw new InvalidInputException(
            $"Schedules cannot run from sigma {high:G6} to {low:G6}: the model was made for {denoiser.SigmaMin:G6} to "
                + $"{denoiser.SigmaMax:G6}; choose sigma_min and sigma_max within that range.");
    }

    /// <summary>Where schedules begin for noise levels that nobody said more about: the largest, or 80 where that is above
    /// <see cref="LargestKept"/>.</summary>
    public static double Ceiling(double sigmaMin, double sigmaMax) =>
        sigmaMax > LargestKept && sigmaMin < EdmPreconditioning.UsualMaximum ? EdmPreconditioning.UsualMaximum : sigmaMax;

    /// <summary>Refuses a schedule that leaves the model's noise levels, to within one part in ten thousand.</summary>
    public static void Check(SamplingSchedule schedule, string name, IDenoiser denoiser)
    {
        double first = schedule.Sigmas[0], last = schedule.Sigmas[^1];
        if (!IsWithin(last, first, denoiser))
        {
            throw new InvalidInputException(
                $"Schedule {name} runs from sigma {first:G6} to {last:G6}, but the model was made for {denoiser.SigmaMin:G6} to "
                    + $"{denoiser.SigmaMax:G6}; use a schedule within that range.");
        }
    }

    /// <summary>What tells results of this range from those of the model's own, which is said nowhere; empty for the model's own.</summary>
    public string Identity(IDenoiser denoiser) => SigmaMin == denoiser.SigmaMin && SigmaMax == denoiser.SigmaMax ? ""
        : InvariantText.Of($", schedules {SigmaMin:R} to {SigmaMax:R}");

    private static bool IsWithin(double low, double high, IDenoiser denoiser) =>
        high <= denoiser.SigmaMax * (1 + Tolerance) && low >= denoiser.SigmaMin / (1 + Tolerance);
}
