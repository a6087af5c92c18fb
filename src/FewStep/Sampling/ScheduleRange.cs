namespace FewStep.Sampling;

/// <summary>Keeps schedules within the noise levels that a model was made for.</summary>
internal static class ScheduleRange
{
    private const double Tolerance = 1e-4; // files hold decimal roundings of the model's ends

    /// <summary>Refuses a schedule that leaves the model's noise levels, to within one part in ten thousand.</summary>
    public static void Check(SamplingSchedule schedule, string name, IDenoiser denoiser)
    {
        double first = schedule.Sigmas[0], last = schedule.Sigmas[^1];
        double low = denoiser.SigmaMin, high = denoiser.SigmaMax;
        if (first > high * (1 + Tolerance) || last < low / (1 + Tolerance))
        {
            throw new InvalidInputException(
                $"Schedule {name} runs from sigma {first:G6} to {last:G6}, but the model was made for {low:G6} to {high:G6}; use a "
                    + $"schedule within that range.");
        }
    }
}
