using FewStep.Networks;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Tuning;

/// <summary>
/// Judges tuned weights with their schedule by the distance of their samples to the pre-trained model's fine path from the same latents.
/// The fine path does not depend on the schedule, so students of different schedules compare.
/// </summary>
internal sealed class StudentJudge : IDisposable
{
    private readonly WeightsDenoiser _student;
    private readonly ISolver _solver;
    private readonly PairedComparison _comparison;

    /// <param name="model">The pre-trained model; not disposed.</param>
    public StudentJudge(NetworkDenoiser model, ScheduleSearchRequest request, TunedScheduleOptions options, CancellationToken cancellation)
    {
        _student = new WeightsDenoiser(options.Tuning.Trained(model));
        _solver = options.Solver;
        var sampling = new PairedSampling(model);
        _comparison = request.WithHeun(sampling, SeedPlan.Candidates(options.JudgedLatents), options.JudgeSteps, cancellation);
        TeacherEvaluations = sampling.Evaluations;
    }

    public long TeacherEvaluations { get; }

    public (LossEstimate Distance, long Evaluations) Judge(Tensor weights, SamplingSchedule schedule, CancellationToken cancellation)
    {
        _student.Weights = weights;
        var sampling = new PairedSampling(_student);
        var square = MeanEstimate.Of(_comparison.MeanSquares(_solver, schedule, cancellation, sampling));
        double root = Math.Sqrt(square.Value);
        // The root's error by the delta rule.
        return (new LossEstimate(root, root > 0 ? square.HalfWidth / (2 * root) : 0, square.Confidence), sampling.Evaluations);
    }

    public void Dispose() => _comparison.Dispose();
}
