namespace FewStep.Solvers;

/// <summary>Multistep DPM-Solver++ (Lu et al. 2022b, algorithm 2) of orders 1 to 3, and with noise prediction multistep DPM-Solver: one
/// evaluation a step.</summary>
/// <remarks>
/// With outputs m, newest first, at positions 0, -r_0, -r_0 - r_1 in units of the step h of lambda: D1 and D2 are the first derivative and
/// half of the second, by divided differences, and x_(i+1) = a x_i + G (phi_1 m_0 + phi_2 D1 + 2 phi_3 D2). The reference implementation
/// takes phi_1 / 2 for phi_2 at order 2, which keeps the order, and phi_3 for 2 phi_3 at order 3, which makes it 2.
/// </remarks>
internal sealed class DpmPlusPlusSolver(SolverSettings settings) : MultistepSolver(settings)
{
    public static SolverFamily Family { get; } = new("dpmpp", "multistep DPM-Solver++; DPM-Solver with predict=noise",
        "Lu et al. 2022, arXiv 2211.01095", settings => new DpmPlusPlusSolver(settings))
    {
        Orders = [1, 2, 3],
        DefaultOrder = 3,
        Options = [SolverOption.Predict, SolverOption.LowerOrderFinal, SolverOption.Thresholding, SolverOption.Coefficients],
    };

    public override string Description
        => $"multistep {(Settings.Prediction == SolverPrediction.Data ? "DPM-Solver++" : "DPM-Solver")} of order {Order}; 1 evaluation a "
            + "step";

    public override SolverResult Step(SolverStep step)
    {
        int order = OrderAt(step.Index, step.Steps);
        var h = new ExponentialStep(step.Sigma, step.NextSigma, Settings.Prediction);
        Tensor[] m = ModelOutputs.Newest(step, order, Settings.Prediction);
        double[] positions = [.. step.History.Take(order - 1).Select(p => h.Position(p.Sigma))];
        return new SolverResult(WeightedSum.Of(h.StateWeight, step.State, h.OutputWeight, Weights(h, positions), m));
    }

    private double[] Weights(ExponentialStep h, double[] positions)
    {
        bool exact = Settings.IsExact;
        double phi1 = h.Phi(1);
        if (positions.Length == 0)
            return [phi1];
        double r0 = -positions[0];
        if (positions.Length == 1)
        {
            double w = (exact ? h.Phi(2) : phi1 / 2) / r0;
            return [phi1 + w, -w];
        }

        // D1 = u + (u - v) r_0 / (r_0 + r_1) and D2 = (u - v) / (r_0 + r_1) with u = (m_0 - m_1) / r_0, v = (m_1 - m_2) / r_1
        double r1 = positions[0] - positions[1], phi2 = h.Phi(2), phi3 = (exact ? 2 : 1) * h.Phi(3);
        double slope = phi2 / r0, bend = (phi2 * r0 + phi3) / (r0 + r1);
        return [phi1 + slope + bend / r0, -slope - bend / r0 - bend / r1, bend / r1];
    }
}
