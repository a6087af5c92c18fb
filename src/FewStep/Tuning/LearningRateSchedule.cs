namespace FewStep.Tuning;

/// <summary>Linear warm-up to a peak, then cosine decay.</summary>
/// <param name="Peak">Largest learning rate.</param>
/// <param name="WarmUp">Length of the warm-up, in the unit of the position (images or updates).</param>
/// <param name="Total">Where the decay ends.</param>
/// <param name="FinalFraction">Learning rate at the end, as a fraction of the peak; default 0.01.</param>
internal sealed record LearningRateSchedule(double Peak, long WarmUp, long Total, double FinalFraction = 0.01)
{
    public double At(long position)
    {
        if (position < WarmUp)
        {
            return Peak * (position + 1) / (WarmUp + 1);
        }

        double progress = Math.Clamp((position - WarmUp) / Math.Max(1.0, Total - WarmUp), 0, 1);
        return Peak * (FinalFraction + (1 - FinalFraction) * (1 + Math.Cos(Math.PI * progress)) / 2);
    }
}
