namespace FewStep.Solvers;

/// <summary>iPNDM-v of orders 2 to 4: Adams-Bashforth in sigma with the weights of the steps that are taken. One evaluation a
/// step.</summary>
internal sealed class VariableIpndmSolver : ISolver
{
    private readonly int _order;
    private readonly SolverCoefficients _coefficients;

    public VariableIpndmSolver(int order = 4, SolverCoefficients coefficients = SolverCoefficients.Published)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(order, 4);
        (_order, _coefficients) = (order, coefficients);
        Name = SolverName.Of(
            Family.Name, order, (SolverOption.Coefficients.Key, "exact", coefficients == SolverCoefficients.Exact && order > 2));
    }

    public static SolverFamily Family { get; } = new(
        "ipndm-v", "Adams-Bashforth with the weights of the steps taken", "zju-pi/diff-sampler (Chen et al. 2024, arXiv 2405.11326)",
        settings => new VariableIpndmSolver(settings.Order, settings.Coefficients))
    {
        Orders = [2, 3, 4],
        DefaultOrder = 4,
        Options = [SolverOption.Coefficients],
    };

    public string Name { get; }
    public int Order => _order;
    public string Description => $"iPNDM-v of order {_order}, multistep; 1 evaluation a step";
    public int HistoryLength => _order - 1;

    public SolverResult Step(SolverStep step)
    {
        double[] sigmas = [step.Sigma, .. step.History.Select(p => p.Sigma)];
        double[] weights = _coefficients == SolverCoefficients.Exact ? AdamsBashforth.Variable(sigmas, step.NextSigma)
            : AdamsBashforth.PublishedVariable(sigmas, step.NextSigma);
        return new SolverResult(WeightedSum.Of(
            1, step.State, step.NextSigma - step.Sigma, weights, ModelOutputs.Newest(step, sigmas.Length, SolverPrediction.Noise)));
    }
}
