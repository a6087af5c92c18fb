namespace FewStep.Tuning;

/// <summary>Linear warm-up to a peak, then cosine decay.</summary>
internal sealed record LearningRateSchedule(double Peak, long WarmUp, long Total, double FinalFraction = 0.01)
{
    public double At(long position)
    {
        if (position < WarmUp)
            return Peak * (position + 1) / (WarmUp + 1);
        double progress = Math.Clamp((position - WarmUp) / Math.Max(1.0, Total - WarmUp), 0, 1);
        return Peak * (FinalFraction + (1 - FinalFraction) * (1 + Math.Cos(Math.PI * progress)) / 2);
    }
}
