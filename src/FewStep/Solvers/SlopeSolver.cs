namespace FewStep.Solvers;

/// <summary>Multistep solvers of orders 2 to 4 that add up slopes, this one and past ones, and differ in the weights.</summary>
internal sealed class SlopeSolver(
    SolverSettings settings, string title, Func<double[], double, double[]> weights) : MultistepSolver(settings)
{
    /// <summary>DEIS in its tAB form: the slopes' polynomial in the time of VP diffusion, integrated over sigma.</summary>
    public static SolverFamily Deis { get; } = Family("deis", "DEIS, tAB form, multistep", "Zhang and Chen 2023, arXiv 2204.13902",
        settings => new SlopeSolver(settings, "DEIS-tAB", settings.IsExact ? DeisWeights.Exact : DeisWeights.Published),
        [SolverOption.Coefficients]);

    /// <summary>iPNDM: Adams-Bashforth in sigma with the weights of equal steps, whatever the steps (section 3.4).</summary>
    public static SolverFamily Ipndm { get; } = Family("ipndm", "Adams-Bashforth with the weights of equal steps",
        "Zhang and Chen 2023, arXiv 2204.13902", settings => new SlopeSolver(settings, "iPNDM", AdamsBashforth.Fixed), []);

    /// <summary>iPNDM-v: Adams-Bashforth in sigma with the weights of the steps that are taken.</summary>
    public static SolverFamily VariableIpndm { get; } = Family(
        "ipndm-v", "Adams-Bashforth with the weights of the steps taken", "zju-pi/diff-sampler (Chen et al. 2024, arXiv 2405.11326)",
        settings => new SlopeSolver(settings, "iPNDM-v", settings.IsExact ? AdamsBashforth.Variable : AdamsBashforth.PublishedVariable),
        [SolverOption.Coefficients with { FromOrder = 3 }]);

    public override string Description => $"{title} of order {Order}, multistep; 1 evaluation a step";

    public override SolverResult Step(SolverStep step)
    {
        double[] sigmas = [step.Sigma, .. step.History.Select(p => p.Sigma)];
        return new SolverResult(WeightedSum.Of(1, step.State, 1, weights(sigmas, step.NextSigma),
            ModelOutputs.Newest(step, sigmas.Length, SolverPrediction.Noise)));
    }

    private static SolverFamily Family(
        string name, string description, string source, Func<SolverSettings, ISolver> make, SolverOption[] options)
        => new(name, description, source, make) { Orders = [2, 3, 4], DefaultOrder = 4, Options = [.. options] };
}
