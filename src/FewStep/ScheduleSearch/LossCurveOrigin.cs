namespace FewStep.ScheduleSearch;

/// <summary>How a loss curve was measured.</summary>
/// <param name="NetworkEvaluations">Network evaluations spent (images times calls, as counted at the network).</param>
/// <param name="Seconds">Wall-clock seconds.</param>
/// <param name="Stop">Why the measurement stopped.</param>
/// <param name="RelativeHalfWidth">Widest relative half-width of the confidence interval of the discretization loss over the requested schedules when it stopped.</param>
/// <param name="Seed">The run's seed, which chose images and noise.</param>
public sealed record LossCurveOrigin(long NetworkEvaluations, double Seconds, LossCurveStop Stop, double RelativeHalfWidth, long Seed);
