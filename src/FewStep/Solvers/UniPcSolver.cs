namespace FewStep.Solvers;

/// <summary>UniPC of orders 1 to 3: a multistep predictor, and a corrector that takes the last step again with the output at its end. One
/// evaluation a step.</summary>
/// <remarks>
/// The output at x_i, which this step starts with anyway, first corrects x_i; the next step goes from there, and the output is not
/// evaluated again. The last step stays uncorrected, since nothing is evaluated at its end (Zhao et al. 2023, algorithms 5 to 8). The
/// corrector raises the order of convergence by one (theorem 3.1).
/// </remarks>
internal sealed class UniPcSolver(SolverSettings settings) : MultistepSolver(settings)
{
    private const string VariantKey = "variant";

    public static SolverFamily Family { get; } = new(
        "unipc", "UniPC, multistep predictor and corrector", "Zhao et al. 2023, arXiv 2302.04867", settings => new UniPcSolver(settings))
    {
        Orders = [1, 2, 3],
        DefaultOrder = 3,
        Options =
        [
            new(VariantKey, "bh2", "the function B(h): h, or e^h - 1") { Choices = ["bh1", "bh2"] },
            SolverOption.Predict,
            SolverOption.LowerOrderFinal,
            SolverOption.Thresholding,
        ],
    };

    public override int Order => Settings.Order + 1;

    public override string Description
        => $"UniPC-{Settings.Order} ({Settings.Value(VariantKey)}), predictor-corrector; 1 evaluation a step";

    public override int HistoryLength => Settings.Order;
    private UniPcVariant Variant => Settings.Value(VariantKey) == "bh1" ? UniPcVariant.Bh1 : UniPcVariant.Bh2;

    public override SolverResult Step(SolverStep step)
    {
        Tensor[] m = ModelOutputs.Newest(step, Settings.Order + 1, Settings.Prediction);
        var corrected = step.History.Count == 0 ? null : Corrected(step, m);
        var h = new ExponentialStep(step.Sigma, step.NextSigma, Settings.Prediction);
        int order = OrderAt(step.Index, step.Steps);
        double[] positions = [.. step.History.Take(order - 1).Select(p => h.Position(p.Sigma))];
        double[] weights = UniPcWeights.Predictor(h, positions, Variant);
        return new SolverResult(WeightedSum.Of(h.StateWeight, corrected ?? step.State, h.OutputWeight, weights, m), corrected);
    }

    // Takes the step that led here again, with its own order and the output at its end.
    private Tensor Corrected(SolverStep step, Tensor[] m)
    {
        var start = step.History[0];
        var h = new ExponentialStep(start.Sigma, step.Sigma, Settings.Prediction);
        int order = OrderAt(step.Index - 1, step.Steps);
        double[] positions = [.. step.History.Skip(1).Take(order - 1).Select(p => h.Position(p.Sigma))];
        double[] weights = UniPcWeights.Corrector(h, positions, Variant);
        return WeightedSum.Of(h.StateWeight, start.State, h.OutputWeight, weights, [.. m[1..(order + 1)], m[0]]);
    }
}

/// <summary>The function B(h) of UniPC, of which any that is O(h) keeps the order (Zhao et al. 2023, section 3.1).</summary>
internal enum UniPcVariant
{
    Bh1,

    /// <summary>B(h) = e^h - 1: the paper's choice where few steps are guided.</summary>
    Bh2,
}
