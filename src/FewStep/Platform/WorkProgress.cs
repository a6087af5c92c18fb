namespace FewStep.Platform;

/// <summary>How far a long piece of work has come. Whoever shows it derives rate and time left from successive values.</summary>
/// <param name="Stage">What is being done, e.g. <c>loss curve</c>.</param>
/// <param name="Done">Units done so far.</param>
/// <param name="Total">Units in all; 0 where that is unknown.</param>
/// <param name="Unit">What is counted, e.g. <c>img</c>.</param>
/// <param name="Detail">A short figure of interest, e.g. <c>loss 0.123</c>; null where there is none.</param>
public sealed record WorkProgress(string Stage, long Done, long Total, string Unit, string? Detail = null)
{
    /// <summary>The part of a longer piece of work that the stage belongs to; null where the stage is all there is.</summary>
    internal WorkPhase? Phase { get; init; }
}
