using FewStep.Noise;

namespace FewStep.Search;

/// <summary>What a continuous polish of a schedule ended with.</summary>
internal sealed record PolishedSchedule(SamplingSchedule Schedule, double Loss, double Residual, int Iterations, bool Stationary);
