namespace FewStep.Solvers;

/// <summary>DEIS in its tAB form, of orders 2 to 4: the slopes' polynomial in the time of VP diffusion, integrated over sigma (Zhang and
/// Chen 2023). One evaluation a step.</summary>
internal sealed class DeisSolver : ISolver
{
    private readonly int _order;
    private readonly SolverCoefficients _coefficients;

    public DeisSolver(int order = 4, SolverCoefficients coefficients = SolverCoefficients.Published)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(order, 2);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(order, 4);
        (_order, _coefficients) = (order, coefficients);
        Name = SolverName.Of(Family.Name, order, (SolverOption.Coefficients.Key, "exact", coefficients == SolverCoefficients.Exact));
    }

    public static SolverFamily Family { get; } = new("deis", "DEIS, tAB form, multistep", "Zhang and Chen 2023, arXiv 2204.13902",
        settings => new DeisSolver(settings.Order, settings.Coefficients))
    {
        Orders = [2, 3, 4],
        DefaultOrder = 4,
        Options = [SolverOption.Coefficients],
    };

    public string Name { get; }
    public int Order => _order;
    public string Description => $"DEIS-tAB of order {_order}, multistep; 1 evaluation a step";
    public int HistoryLength => _order - 1;

    public SolverResult Step(SolverStep step)
    {
        double[] sigmas = [step.Sigma, .. step.History.Select(p => p.Sigma)];
        double[] weights = sigmas.Length == 1 ? [step.NextSigma - step.Sigma] // Euler's step, in every implementation
            : _coefficients == SolverCoefficients.Exact ? DeisWeights.Exact(sigmas, step.NextSigma)
                : DeisWeights.Published(sigmas, step.NextSigma);
        return new SolverResult(
            WeightedSum.Of(1, step.State, 1, weights, ModelOutputs.Newest(step, sigmas.Length, SolverPrediction.Noise)));
    }
}
