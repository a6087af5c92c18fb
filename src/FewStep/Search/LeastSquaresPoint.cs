using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Search;

/// <summary>A point of a least-squares problem: position, residuals, and their mean square.</summary>
internal sealed class LeastSquaresPoint : IDisposable
{
    /// <param name="position">Where.</param>
    /// <param name="residuals">Residuals of any shape, taken over.</param>
    public LeastSquaresPoint(double[] position, Tensor residuals)
    {
        using var scope = NewDisposeScope();
        (Position, Residuals) = (position, residuals.DetachFromDisposeScope());
        Value = residuals.to(float64).Squared().mean().item<double>();
    }

    /// <summary>Where.</summary>
    public double[] Position { get; }

    /// <summary>Mean square of the residuals.</summary>
    public double Value { get; }

    /// <summary>The residuals; this object owns them.</summary>
    public Tensor Residuals { get; }

    public void Dispose() => Residuals.Dispose();
}
