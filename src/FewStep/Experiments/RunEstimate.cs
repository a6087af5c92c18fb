using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>About how many network evaluations a run takes, so that its time can be said before it begins.</summary>
internal static class RunEstimate
{
    private const int BackwardPass = 2; // in evaluations

    /// <summary>Evaluations of all parts; a backward pass counts as two.</summary>
    /// <param name="own">The model's own samples, where the loss curve is measured on those.</param>
    public static double Evaluations(RunOptions options, OwnSampleSet? own = null) =>
        Curve(options.Curve) + Made(options.Curve, own) + Fit(options) + (options.Rounds * Tuning(options)) + Comparison(options);

    // As many images as are first looked at: most curves stop there or soon after.
    private static double Curve(LossCurveOptions curve) => 2.0 * curve.Points * curve.FirstLook;

    private static double Made(LossCurveOptions curve, OwnSampleSet? own)
        => own is null ? 0 : (double)own.EvaluationsEach * Math.Min(own.Count, curve.FirstLook);

    private static double Fit(RunOptions options) =>
        options.Fit is { } fit ? (double)(fit.Latents + fit.HeldOutLatents) * (fit.TeacherSteps + options.Steps) : 0;

    private static double Tuning(RunOptions options)
    {
        var tuning = options.Tuning;
        double path = (double)options.Steps * tuning.SubstepsFor(options.Steps);
        int own = tuning.StepsByEuler ? options.Steps - 1 : 0;
        double update = tuning.Batch * ((options.Steps * (1 + BackwardPass)) + own + (path / tuning.TeacherReuse));
        double judged = 1 + ((double)tuning.Updates / tuning.EvaluationInterval);
        return (tuning.Updates * update) + (tuning.HeldOutCount * (path + (judged * options.Steps)));
    }

    private static double Comparison(RunOptions options)
    {
        static int Cost(string solver, int steps) => SolverCost.Evaluations(SolverCatalog.Find(solver), steps);
        int students = options.Baselines.Count + DiscretizationLossOptimizer.Weightings(options.Power).Count
            + (2 * options.RivalSolvers.Count) + (options.Fit is null ? 0 : 1) + (options.Rounds > 0 ? 1 : 0);
        double each = (students * Cost(options.Solver, options.Steps)) + Cost(options.Tuning.TeacherSolver, options.TeacherSteps);
        return each * options.Samples * options.Ranges;
    }
}
