namespace FewStep.Tuning;

/// <summary>Exponential moving average of flat weights with a half-life in images and EDM's ramp-up.</summary>
internal sealed class ExponentialMovingAverage : IDisposable
{
    private readonly double _halfLife;
    private readonly double _rampUp;

    /// <param name="weights">Flat float32 weights; copied.</param>
    public ExponentialMovingAverage(Tensor weights, double halfLife, double rampUp = 0.05)
    {
        (_halfLife, _rampUp) = (halfLife, rampUp);
        using var noGradient = no_grad();
        Weights = weights.clone().DetachFromDisposeScope();
    }

    /// <summary>The averaged weights; owned by this object.</summary>
    public Tensor Weights { get; }

    /// <summary>Takes the weights after an update into the average.</summary>
    public void Update(Tensor weights, long imagesSeen, int batch)
    {
        using var noGradient = no_grad();
        double halfLife = Math.Min(_halfLife, imagesSeen * _rampUp);
        double keep = Math.Pow(0.5, batch / Math.Max(halfLife, 1e-8));
        Weights.lerp_(weights, 1 - keep);
    }

    public void Dispose() => Weights.Dispose();
}
