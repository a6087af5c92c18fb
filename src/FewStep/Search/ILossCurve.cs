namespace FewStep.Search;

/// <summary>A training loss curve L(sigma) = E |D(x0 + sigma n; sigma) - x0|^2 / dimension that never decreases with sigma.</summary>
/// <remarks>Measured curves are <see cref="FittedLossCurve"/>; exact ones (Gaussian data) implement this directly.</remarks>
internal interface ILossCurve
{
    /// <summary>L at a noise level: mean squared error of one image value, above 0.</summary>
    double Loss(double sigma);

    /// <summary>dL/dsigma at a noise level, never below 0.</summary>
    double Derivative(double sigma);
}
