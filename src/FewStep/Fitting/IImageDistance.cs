using FewStep.Solvers;
using MathNet.Numerics.LinearAlgebra;

namespace FewStep.Fitting;

/// <summary>What a refinement minimises: how far a sampler's images are from others.</summary>
internal interface IImageDistance
{
    /// <summary>Embeds images.</summary>
    /// <returns>[B,d]; belongs to the current dispose scope.</returns>
    Tensor Embed(Tensor images);

    /// <summary>How far a sampler's are, squared, on the latents fitted on and on those held out.</summary>
    (double Fitted, double HeldOut) Value(ISolver solver, SamplingSchedule schedule, CancellationToken cancellation);

    /// <summary>What is said of a squared distance while it falls.</summary>
    string Describe(double squared);

    /// <summary>Begins the sums that say which way it falls.</summary>
    INormalEquations Equations();
}

/// <summary>Half of the gradient and of the curvature of a squared distance by the values of a sampler, gathered over latents.</summary>
internal interface INormalEquations : IDisposable
{
    /// <param name="batch">The batch of latents.</param>
    /// <param name="derivatives">What each value of the sampler changes in the embedded images, [B,n,d].</param>
    /// <param name="images">The embedded images [B,d].</param>
    void Add(int batch, Tensor derivatives, Tensor images);

    (Matrix<double> Normal, Vector<double> Gradient) Finish();
}
