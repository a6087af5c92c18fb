namespace FewStep.Experiments;

/// <summary>What a comparison holds equal between solvers.</summary>
public enum ComparisonAxis
{
    /// <summary>Network evaluations an image: a solver of two stages gets half as many steps. What is fair.</summary>
    Evaluations,

    /// <summary>Solver steps, whatever they cost.</summary>
    Steps,
}
