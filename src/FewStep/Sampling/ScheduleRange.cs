using System.Globalization;
using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Platform;

namespace FewStep.Sampling;

/// <summary>Keeps schedules within the noise levels that a model was made for.</summary>
public static class ScheduleRange
{
    private const double Tolerance = 1e-4; // files hold decimal roundings of the model's ends

    /// <summary>Refuses a schedule that leaves the model's noise levels, to within one part in ten thousand.</summary>
    /// <param name="schedule">The schedule.</param>
    /// <param name="name">Its name, for the message.</param>
    /// <param name="denoiser">The model.</param>
    /// <exception cref="InvalidInputException">A sigma lies outside; the message names it and the range.</exception>
    public static void Check(SamplingSchedule schedule, string name, IDenoiser denoiser)
    {
        double first = schedule.Sigmas[0], last = schedule.Sigmas[^1];
        double low = denoiser.SigmaMin, high = denoiser.SigmaMax;
        if (first > high * (1 + Tolerance) || last < low / (1 + Tolerance))
        {
            throw new InvalidInputException(string.Create(
                CultureInfo.InvariantCulture,
                $"Schedule {name} runs from sigma {first:G6} to {last:G6}, but the model was made for {low:G6} to {high:G6}; use a schedule within that range."));
        }
    }
}
