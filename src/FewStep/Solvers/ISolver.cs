namespace FewStep.Solvers;

/// <summary>Solves the probability-flow ODE dx/ds = (x - D(x; s)) / s one step at a time, with sigma as time.</summary>
/// <remarks>A solver keeps nothing between steps: what it needs of the past is in the context, which the sampler holds for the run. One object serves any number of runs.</remarks>
public interface ISolver
{
    /// <summary>Name in options and files, e.g. <c>euler</c>.</summary>
    string Name { get; }

    /// <summary>Order p of convergence: the error at the end falls as the p-th power of the step.</summary>
    int Order { get; }

    /// <summary>One line: what it is, where it comes from, what a step costs.</summary>
    string Description { get; }

    /// <summary>How many past steps the solver looks at; 0 for a one-step solver. The sampler keeps no more.</summary>
    int HistoryLength { get; }

    /// <summary>Takes one step, from sigma_i to sigma_(i+1). It works in the type of the state and changes no tensor of the context.</summary>
    /// <param name="step">Where the run stands; its tensors belong to the sampler.</param>
    /// <returns>New tensors, which belong to the sampler.</returns>
    SolverResult Step(SolverStep step);
}
