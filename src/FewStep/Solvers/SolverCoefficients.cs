namespace FewStep.Solvers;

/// <summary>Where a solver's reference implementation falls short of the method's mathematics, the choice between the two; <c>docs/solvers.md</c> names each case.</summary>
public enum SolverCoefficients
{
    /// <summary>As in the reference implementation, with which published figures were made.</summary>
    Published,

    /// <summary>As the method's order needs.</summary>
    Exact,
}
