namespace FewStep.Solvers;

/// <summary>Single-step DPM-Solver-2: a step of Euler to an inner point, then the whole step with slopes of both points. Two evaluations a
/// step.</summary>
/// <remarks>
/// The inner point lies the share r of the way down in ln sigma: s_m = s_i^(1-r) s_(i+1)^r. Then x_(i+1) = x_i + h ((1 - 1/(2r)) d_i +
/// 1/(2r) d_m) with h = s_(i+1) - s_i. r = 1/2 is DPM-Solver-2 (Lu et al. 2022, algorithm 1), and r = 1 is Heun's method.
/// </remarks>
internal sealed class DpmSolver2(SolverSettings settings) : ISolver
{
    private const string RatioKey = "r";
    private readonly double _ratio = settings.Number(RatioKey);

    public static SolverFamily Family { get; } = new(
        "dpm2", "single-step DPM-Solver-2", "Lu et al. 2022, arXiv 2206.00927", settings => new DpmSolver2(settings))
    {
        Options = [new(RatioKey, "0.5", "where the inner point lies in ln sigma; 1 is heun") { Minimum = 0.05, Maximum = 1 }],
    };

    public string Name { get; } = settings.Name;
    public int Order => 2;
    public string Description => "DPM-Solver-2, single-step; 2 evaluations a step";
    public int HistoryLength => 0;
    public int EvaluationsPerStep => 2;

    public SolverResult Step(SolverStep step)
    {
        double s = step.Sigma, s1 = step.NextSigma, h = s1 - s, w = 1 / (2 * _ratio);
        double inner = Math.Pow(s, 1 - _ratio) * Math.Pow(s1, _ratio);
        var x = step.State;
        var y = step.Denoised.lerp(x, inner / s); // Euler's step
        var d = step.Slope();
        var dm = (y - step.Denoise(y, inner)).Over_(inner);
        return new SolverResult(WeightedSum.Of(1, x, h, [1 - w, w], [d, dm]));
    }
}
