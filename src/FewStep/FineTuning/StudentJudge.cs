using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.ScheduleSearch;
using FewStep.Solvers;
using static TorchSharp.torch;

namespace FewStep.FineTuning;

/// <summary>
/// Judges tuned weights with their schedule by the distance of their samples to the pre-trained model's fine path from the same latents. The fine path does not depend on the schedule, so students of different
/// schedules compare.
/// </summary>
internal sealed class StudentJudge : IDisposable
{
    private const long FirstSeed = 0xF400_0000; // apart from the seeds of tuning and of comparisons
    private const int Batch = 64;
    private const double Confidence = 0.95, Quantile = 1.96;
    private readonly NetworkDenoiser _model;
    private readonly WeightsDenoiser _student;
    private readonly int _latents;
    private readonly List<Tensor> _ends = [];

    /// <summary>Solves the fine paths.</summary>
    /// <param name="model">The pre-trained model; not disposed.</param>
    /// <param name="options">Number of latents and of steps.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    public StudentJudge(NetworkDenoiser model, TunedScheduleOptions options, CancellationToken cancellation)
    {
        (_model, _latents, _student) = (model, options.JudgedLatents, new WeightsDenoiser(model));
        var counted = new CountingDenoiser(model);
        var fine = new Sampler(counted, new HeunSolver(), StandardSchedule.Karras().Create(options.JudgeSteps, model.SigmaMin, model.SigmaMax));
        foreach (long[] seeds in Seeds())
        {
            _ends.Add(Sample(fine, seeds, cancellation).DetachFromDisposeScope());
        }

        TeacherEvaluations = counted.Images;
    }

    /// <summary>Network evaluations of the fine paths.</summary>
    public long TeacherEvaluations { get; }

    /// <summary>Network evaluations of a judgement.</summary>
    /// <param name="schedule">The schedule.</param>
    public long Evaluations(SamplingSchedule schedule) => (long)_latents * (schedule.Steps + (schedule.Terminal == ScheduleTerminal.Zero ? 1 : 0));

    /// <summary>Judges one student.</summary>
    /// <param name="weights">Flat weights; not owned.</param>
    /// <param name="schedule">The schedule that they were tuned to.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <returns>Root-mean-square distance of a pixel value to the fine path's end, with a 95 % interval over the latents.</returns>
    public LossEstimate Distance(Tensor weights, SamplingSchedule schedule, CancellationToken cancellation)
    {
        _student.Weights = weights;
        var sampler = new Sampler(_student, new EulerSolver(), schedule);
        var squares = new List<double>();
        foreach (var (seeds, end) in Seeds().Zip(_ends))
        {
            using var scope = NewDisposeScope();
            var difference = (Sample(sampler, seeds, cancellation) - end).to(ScalarType.Float64);
            squares.AddRange(difference.square().mean([1, 2, 3]).cpu().data<double>());
        }

        double mean = squares.Average();
        double error = Math.Sqrt(squares.Sum(s => (s - mean) * (s - mean)) / (squares.Count - 1) / squares.Count);
        // The root's error by the delta rule.
        return new LossEstimate(Math.Sqrt(mean), mean > 0 ? Quantile * error / (2 * Math.Sqrt(mean)) : 0, Confidence);
    }

    /// <inheritdoc/>
    public void Dispose() => _ends.ForEach(end => end.Dispose());

    private IEnumerable<long[]> Seeds() => Enumerable.Range(0, _latents).Select(i => FirstSeed + i).Chunk(Batch);

    private Tensor Sample(Sampler sampler, long[] seeds, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var device = _model.Weights.device;
        var latents = Latents.Draw(seeds, _model.Shape, device: device);
        var labels = SeedLabels.For(seeds, _model.Classes, device: device);
        return sampler.Sample(latents, labels, cancellationToken: cancellation).Samples.MoveToOuterDisposeScope();
    }
}
