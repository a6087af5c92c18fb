namespace FewStep.Search;

/// <summary>The weighting g(sigma) that turns a training loss curve into a discretization loss: one step from s to s' costs [g(s') - g(s)]
/// L(s).</summary>
/// <remarks>
/// g decreases strictly in sigma. Which g fits says how much an error made at a noise level still counts at the end of the path:
/// <see cref="PowerWeighting"/> is the closed family; a measured amplification A(sigma) of a model's own flow has g'(sigma) = -A(sigma) /
/// sigma.
/// </remarks>
internal interface INoiseWeighting
{
    /// <summary>Short name for reports and files, e.g. <c>power 0</c>.</summary>
    string Name { get; }

    double Value(double sigma);

    /// <summary>dg/dsigma at a noise level; below 0.</summary>
    double Derivative(double sigma);
}
