using FewStep.Platform;

namespace FewStep.Experiments;

/// <summary>How far the images of one seed range under one combination are from those of a fine teacher on the same latents.</summary>
/// <param name="Key">What was measured, hashed; see <see cref="EvaluationStore"/>.</param>
/// <param name="Schedule">Name of the schedule, for readers.</param>
/// <param name="Solver">Name of the solver, for readers.</param>
/// <param name="Steps">Solver steps.</param>
/// <param name="FirstSeed">Seed of the first image.</param>
/// <param name="Images">Number of images.</param>
/// <param name="RootMeanSquare">Mean over the images of the root-mean-square difference of a pixel value, in the model's units ([-1,1]), before clipping and rounding.</param>
/// <param name="NetworkEvaluations">Network evaluations that were counted, one for each image; without the teacher's.</param>
/// <param name="Seconds">Wall-clock seconds.</param>
/// <param name="WithDistance">Whether the images were sampled for a <see cref="MeasuredRange"/> as well, which then states the same evaluations and seconds.</param>
public sealed record EndpointRange(
    string Key,
    string Schedule,
    string Solver,
    int Steps,
    long FirstSeed,
    int Images,
    double RootMeanSquare,
    long NetworkEvaluations,
    double Seconds,
    bool WithDistance)
{
    /// <summary>Refuses values that no measurement gives.</summary>
    /// <param name="source">The file, for the message.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    internal void Check(string source)
    {
        if (Key.Length != 64 || Steps < 1 || FirstSeed < 0 || Images < 2 || !(RootMeanSquare >= 0) || !double.IsFinite(RootMeanSquare) || NetworkEvaluations < 0 || !double.IsFinite(Seconds) || Seconds < 0)
        {
            throw new InvalidInputException($"{source} holds an endpoint distance that is none (key {Key[..Math.Min(8, Key.Length)]}); delete the file to have all measured again.");
        }
    }
}
