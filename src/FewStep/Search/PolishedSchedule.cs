using FewStep.Noise;

namespace FewStep.Search;

/// <summary>What a continuous polish of a schedule ended with.</summary>
/// <param name="Schedule">The schedule; its ends are those of the start.</param>
/// <param name="Loss">Its discretization loss, never above the start's.</param>
/// <param name="Residual">Largest relative residual of the stationarity equations; 0 for a schedule without inner noise levels.</param>
/// <param name="Iterations">Newton iterations spent.</param>
/// <param name="Stationary">Whether the stationarity equations hold to the tolerance; if not, no further decrease was found.</param>
public sealed record PolishedSchedule(SamplingSchedule Schedule, double Loss, double Residual, int Iterations, bool Stationary);
