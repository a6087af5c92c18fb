namespace FewStep.Search;

/// <summary>A point of a least-squares problem: position, residuals, and their mean square.</summary>
internal sealed class LeastSquaresPoint : IDisposable
{
    public LeastSquaresPoint(double[] position, Tensor residuals)
    {
        using var scope = NewDisposeScope();
        (Position, Residuals) = (position, residuals.DetachFromDisposeScope());
        Value = residuals.to(float64).Squared().mean().item<double>();
    }

    public double[] Position { get; }
    public double Value { get; }
    public Tensor Residuals { get; }

    public void Dispose() => Residuals.Dispose();
}
