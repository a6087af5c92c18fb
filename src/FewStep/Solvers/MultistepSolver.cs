namespace FewStep.Solvers;

/// <summary>A solver that looks at past steps, one fewer than its order unless it says otherwise. One evaluation a step.</summary>
internal abstract class MultistepSolver(SolverSettings settings) : ISolver
{
    public string Name { get; } = settings.Name;
    public virtual int Order => settings.Order;
    public abstract string Description { get; }
    public virtual int HistoryLength => settings.Order - 1;
    public bool ThresholdsDenoised { get; } = settings.Thresholds;
    protected SolverSettings Settings => settings;

    public abstract SolverResult Step(SolverStep step);

    /// <summary>
    /// The order of an exponential solver at a step. It rises with the outputs at hand, then stays; with <paramref name="lowerOrderFinal"/>
    /// it falls to 1 at the last step (Lu et al. 2022, DPM-Solver++), or to 2 there where the last one is to be the denoise that follows it
    /// (as diffusers counts). The rise goes first: where there are fewer steps than orders nothing is lowered, as in the reference.
    /// </summary>
    internal static int OrderAt(int index, int steps, int order, FinalOrder lowerOrderFinal) =>
        index + 1 < order || lowerOrderFinal == FinalOrder.Full ? Math.Min(order, index + 1)
            : Math.Min(order, steps - index + (lowerOrderFinal == FinalOrder.OneAtDenoise ? 1 : 0));

    protected int OrderAt(int index, int steps) => OrderAt(index, steps, settings.Order, settings.FinalOrder);
}
