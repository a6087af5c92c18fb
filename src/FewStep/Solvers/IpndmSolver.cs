namespace FewStep.Solvers;

/// <summary>iPNDM of orders 2 to 4: Adams-Bashforth in sigma with the weights of equal steps, whatever the steps (Zhang and Chen 2023,
/// section 3.4). One evaluation a step.</summary>
internal sealed class IpndmSolver : ISolver
{
    private readonly int _order;

    public IpndmSolver(int order = 4)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(order, 4);
        _order = order;
        Name = SolverName.Of(Family.Name, order);
    }

    public static SolverFamily Family { get; } = new("ipndm", "Adams-Bashforth with the weights of equal steps",
        "Zhang and Chen 2023, arXiv 2204.13902", settings => new IpndmSolver(settings.Order))
    {
        Orders = [2, 3, 4],
        DefaultOrder = 4,
    };

    public string Name { get; }
    public int Order => _order;
    public string Description => $"iPNDM of order {_order}, multistep; 1 evaluation a step";
    public int HistoryLength => _order - 1;

    public SolverResult Step(SolverStep step)
    {
        int order = step.History.Count + 1;
        return new SolverResult(WeightedSum.Of(1, step.State, step.NextSigma - step.Sigma, AdamsBashforth.Fixed(order),
            ModelOutputs.Newest(step, order, SolverPrediction.Noise)));
    }
}
