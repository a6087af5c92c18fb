using FewStep.Networks;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>
/// Judges tuned weights with their schedule by the distance of their samples to the pre-trained model's fine path from the same latents. The fine path does not depend on the schedule, so students of different
/// schedules compare.
/// </summary>
internal sealed class StudentJudge : IDisposable
{
    private readonly WeightsDenoiser _student;
    private readonly ISolver _solver;
    private readonly PairedComparison _comparison;

    /// <summary>Solves the fine paths.</summary>
    /// <param name="model">The pre-trained model; not disposed.</param>
    /// <param name="request">Ends of the schedules.</param>
    /// <param name="options">Number of latents and of steps.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public StudentJudge(NetworkDenoiser model, ScheduleSearchRequest request, TunedScheduleOptions options, CancellationToken cancellation)
    {
        _student = new WeightsDenoiser(model);
        _solver = SolverCatalog.Find(options.Tuning.Solver);
        var sampling = new PairedSampling(model);
        _comparison = request.WithHeun(sampling, SeedPlan.Candidates(options.JudgedLatents), options.JudgeSteps, cancellation);
        TeacherEvaluations = sampling.Evaluations;
    }

    public long TeacherEvaluations { get; }

    /// <summary>Judges one student.</summary>
    /// <param name="weights">Flat weights; not owned.</param>
    /// <param name="schedule">The schedule that they were tuned to.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>Root-mean-square distance of a pixel value to the fine path's end, with a 95 % interval over the latents, and the network evaluations spent.</returns>
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
