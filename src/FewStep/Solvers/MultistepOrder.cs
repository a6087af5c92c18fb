namespace FewStep.Solvers;

/// <summary>The order that an exponential multistep solver has at a step.</summary>
internal static class MultistepOrder
{
    /// <summary>
    /// Rises with the outputs at hand, then stays; with <paramref name="lowerOrderFinal"/> it falls to 1 at the last step (Lu et al. 2022,
    /// DPM-Solver++). The rise goes first: where there are fewer steps than orders nothing is lowered, as in the reference.
    /// </summary>
    public static int At(int index, int steps, int order, bool lowerOrderFinal) =>
        index + 1 < order ? index + 1 : lowerOrderFinal ? Math.Min(order, steps - index) : order;
}
