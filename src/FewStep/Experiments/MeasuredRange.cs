using FewStep.Platform;

namespace FewStep.Experiments;

/// <summary>The distance of one seed range under one combination: the unit in which a comparison is stored and resumed.</summary>
/// <param name="Key">What was measured, hashed; see <see cref="EvaluationStore"/>.</param>
/// <param name="Schedule">Name of the schedule, for readers.</param>
/// <param name="Solver">Name of the solver, for readers.</param>
/// <param name="Steps">Solver steps.</param>
/// <param name="FirstSeed">Seed of the first image.</param>
/// <param name="Images">Number of images.</param>
/// <param name="Distance">The metric.</param>
/// <param name="NetworkEvaluations">Network evaluations that were counted, one for each image.</param>
/// <param name="Seconds">Wall-clock seconds of sampling and features.</param>
/// <param name="Tuning">Name of the tuning, for readers; null for the weights as they came.</param>
public sealed record MeasuredRange(
    string Key,
    string Schedule,
    string Solver,
    int Steps,
    long FirstSeed,
    int Images,
    double Distance,
    long NetworkEvaluations,
    double Seconds,
    string? Tuning = null)
{
    /// <summary>Refuses values that no measurement gives.</summary>
    /// <param name="source">The file, for the message.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    internal void Check(string source)
    {
        if (Key.Length != 64 || Steps < 1 || FirstSeed < 0 || Images < 2 || !double.IsFinite(Distance) || NetworkEvaluations < 0 || !double.IsFinite(Seconds) || Seconds < 0)
        {
            throw new InvalidInputException($"{source} holds a measurement that is none (key {Key[..Math.Min(8, Key.Length)]}); delete the file to have all measured again.");
        }
    }
}
