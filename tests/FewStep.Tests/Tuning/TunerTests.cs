using FewStep.Data;
using FewStep.Tuning;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Data;
using TorchSharp;

namespace FewStep.Tests.Tuning;

public sealed class TunerTests : IDisposable
{
    private static readonly TuningOptions Short = new()
    {
        Updates = 60,
        Batch = 8,
        LearningRate = 5e-3,
        EvaluationInterval = 10,
        HeldOutCount = 16,
        EmaHalfLifeImages = 50,
        TeacherBatches = 2,
        SnapshotFractions = [0.5, 1],
    };

    private readonly NetworkDenoiser _model = TinyModel.Create();

    public void Dispose() => _model.Dispose();

    [Fact]
    public void Tuning_by_trajectory_lowers_the_held_out_distance_and_leaves_the_model_alone()
    {
        using var before = _model.Weights.clone();
        using var result = new Tuner(_model, TinyModel.Sampler, Short).Run(cancellation: TestContext.Current.CancellationToken);
        var report = result.Report;
        Assert.Equal(TuningStop.AllUpdates, report.Stop);
        Assert.Equal([0, 10, 20, 30, 40, 50, 60], report.Curve.Select(p => p.Update));
        Assert.Null(report.Curve[0].TrainingLoss);
        Assert.True(report.BestHeldOut < 0.5 * report.Curve[0].HeldOut, report.Explanation);
        Assert.Equal(report.Curve.Min(p => p.HeldOut), report.BestHeldOut);
        Assert.True(before.Equals(_model.Weights));
        Assert.Equal(report.BestHeldOut!.Value, Distance(result.Weights), 1e-5);
    }

    [Fact]
    public void Images_sorted_by_class_are_held_out_from_every_class()
    {
        var sorted = new ListImageSet(
            new(1, 1, 1), [.. Enumerable.Range(0, 200).Select(i => new[] { (byte)i })], [.. Enumerable.Range(0, 200).Select(i => i / 100)]);
        var split = TuningImages.Split(sorted);
        Assert.Equal((180, 20), (split.Training.Count, split.HeldOut.Count));
        Assert.Equal(2, Enumerable.Range(0, 20).Select(split.HeldOut.Label).Distinct().Count());
        byte[] Value(IImageSet set, int i)
        {
            byte[] pixel = new byte[1];
            set.Read(i, pixel);
            return pixel;
        }

        var all = Enumerable.Range(0, 180).Select(i => Value(split.Training, i)[0])
            .Concat(Enumerable.Range(0, 20).Select(i => Value(split.HeldOut, i)[0]));
        Assert.Equal(200, all.Distinct().Count());
    }

    [Fact]
    public void Before_tuning_the_distance_is_that_of_Euler_to_the_exact_solution()
    {
        var options = Short with { TeacherSubsteps = 20, Updates = 1, Batch = 16, SnapshotFractions = [] };
        using var result = new Tuner(_model, TinyModel.Sampler, options).Run(cancellation: TestContext.Current.CancellationToken);

        // Gaussian data: both are multiples of the latents, whose mean square over the held-out images is measured.
        double euler = 80, c2 = TinyModel.SigmaData * TinyModel.SigmaData;
        var sigmas = TinyModel.Schedule.Sigmas;
        for (int i = 0; i < 3; i++)
        {
            double r = sigmas[i + 1] / sigmas[i];
            euler *= r + (1 - r) * c2 / (c2 + sigmas[i] * sigmas[i]);
        }

        double exact = 80 * Math.Sqrt((c2 + 0.002 * 0.002) / (c2 + 80 * 80));
        using var latents = Latents.Draw(SeedPlan.HeldOut(0, 16), TinyModel.Shape);
        double size = latents.square().mean().sqrt().item<float>();
        double distance = Math.Abs(euler - exact) * size;
        Assert.Equal(distance, result.Report.Curve[0].HeldOut, 0.01 * distance);
    }

    [Theory]
    [InlineData(TuningLoss.Trajectory, ScheduleTerminal.SigmaMin)]
    [InlineData(TuningLoss.Trajectory, ScheduleTerminal.Zero)]
    [InlineData(TuningLoss.Denoise, ScheduleTerminal.SigmaMin)]
    public void Network_evaluations_are_counted(TuningLoss loss, ScheduleTerminal terminal)
    {
        var sampler = TinyModel.Sampler with { Schedule = new SamplingSchedule(TinyModel.Schedule.Sigmas, terminal) };
        var options = Short with
        { Loss = loss, Updates = 10, EvaluationInterval = 5, TeacherBatches = 2, TeacherReuse = 3, SnapshotFractions = [] };
        using var result = new Tuner(_model, sampler, options, new TuningImages(TinyModel.Images(20, 1), TinyModel.Images(20, 2)))
            .Run(cancellation: TestContext.Current.CancellationToken);
        int levels = terminal == ScheduleTerminal.Zero ? 4 : 3;
        int teacher = 3 * 6 + levels - 3; // evaluations a path
        var evaluations = result.Report.Evaluations;
        Assert.Equal(10 * 8 * levels, evaluations.Student);
        Assert.Equal(3 * 16 * levels, evaluations.HeldOut);
        Assert.Equal(loss == TuningLoss.Denoise ? 0 : ((2 + 2) * 8 + 16) * teacher, evaluations.Teacher);
    }

    [Fact]
    public void Tuning_by_denoising_lowers_the_held_out_loss()
    {
        using var model = TinyModel.Create(classes: 2);
        var images = new TuningImages(TinyModel.Images(200, 1, labelled: true), TinyModel.Images(40, 2, labelled: true), Flip: true);
        var options = Short with { Loss = TuningLoss.Denoise, HeldOutCount = 40 };
        using var result = new Tuner(model, TinyModel.Sampler, options, images).Run(cancellation: TestContext.Current.CancellationToken);
        Assert.True(result.Report.BestHeldOut < 0.9 * result.Report.Curve[0].HeldOut, result.Report.Explanation);
    }

    [Fact]
    public void Where_tuning_only_harms_the_weights_stay_and_it_stops_early()
    {
        var options = Short with { LearningRate = 0.5, WarmUpUpdates = 0, EvaluationInterval = 1, Patience = 3 };
        using var result = new Tuner(_model, TinyModel.Sampler, options).Run(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(TuningStop.NoImprovement, result.Report.Stop);
        Assert.Equal(0, result.Report.BestUpdate);
        Assert.Equal(3, result.Report.Updates);
        Assert.True(result.Weights.Equals(_model.Weights));
        Assert.Contains("nothing was better", result.Report.Explanation, StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_that_is_not_finite_ends_it_and_the_best_is_kept()
    {
        using var result = new Tuner(_model, TinyModel.Sampler, Short with { LearningRate = 1e30 })
            .Run(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(TuningStop.Diverged, result.Report.Stop);
        Assert.Contains("lower the learning rate", result.Report.Explanation, StringComparison.Ordinal);
        Assert.True(result.Weights.isfinite().all().item<bool>());
    }

    [Fact]
    public void Cancelled_before_anything_it_gives_the_weights_as_they_came()
    {
        using var result = new Tuner(_model, TinyModel.Sampler, Short).Run(cancellation: new CancellationToken(canceled: true));
        Assert.Equal(TuningStop.Cancelled, result.Report.Stop);
        Assert.Null(result.Report.BestUpdate);
        Assert.True(result.Weights.Equals(_model.Weights));
    }

    [Fact]
    public void It_begins_at_given_weights_and_hands_out_snapshots()
    {
        var updates = new List<int>();
        using var start = _model.Weights + 0.01;
        var observer = new TuningObserver { Snapshot = s => updates.Add(s.Point.Update) };
        using var result = new Tuner(_model, TinyModel.Sampler, Short with { Updates = 4, LearningRate = 1e-30 })
            .Run(start, observer, TestContext.Current.CancellationToken);
        Assert.Equal([2, 4], updates);
        Assert.True(result.Weights.Equals(start));
    }

    [Fact]
    public void It_computes_in_the_number_format_of_the_model()
    {
        _model.ComputeType = ScalarType.BFloat16;
        using var result = new Tuner(_model, TinyModel.Sampler, Short).Run(cancellation: TestContext.Current.CancellationToken);
        Assert.Equal(ScalarType.Float32, result.Weights.dtype);
        Assert.Equal(ScalarType.BFloat16, result.Report.Options.ComputeType);
        Assert.True(result.Report.BestHeldOut < 0.6 * result.Report.Curve[0].HeldOut, result.Report.Explanation);
    }

    [Theory]
    [InlineData(TuningLoss.Trajectory, null)]
    [InlineData(TuningLoss.Trajectory, 3)]
    [InlineData(TuningLoss.Denoise, null)]
    [InlineData(TuningLoss.Denoise, 3)]
    public void The_number_of_live_tensors_is_constant_over_updates_and_nothing_is_left(TuningLoss loss, int? microBatch)
    {
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        var live = new List<long>();
        var observer = new TuningObserver { Update = _ => live.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount) };
        var options = Short with
        { Loss = loss, Updates = 20, EvaluationInterval = 3, TeacherBatches = 2, TeacherReuse = 2, MicroBatch = microBatch };
        var images = new TuningImages(TinyModel.Images(20, 1), TinyModel.Images(20, 2));
        using (new Tuner(_model, TinyModel.Sampler, options, images)
            .Run(observer: observer, cancellation: TestContext.Current.CancellationToken))
        {
            Assert.Single(live[4..].Distinct());
        }

        _model.WeightsChanged(); // frees the views that the model keeps for its next evaluation
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Warm_up_and_decay_reach_the_optimiser()
    {
        var rates = new List<TrainingUpdate>();
        var options = Short with { Updates = 40, WarmUpUpdates = 4, SnapshotFractions = [] };
        new Tuner(_model, TinyModel.Sampler, options)
            .Run(observer: new TuningObserver { Update = rates.Add }, cancellation: TestContext.Current.CancellationToken).Dispose();
        Assert.Equal(4, rates.FindIndex(r => r.LearningRate == options.LearningRate));
        Assert.True(rates[^1].LearningRate < 0.02 * options.LearningRate);
        Assert.Equal(40 * 8, rates[^1].Images);
    }

    private double Distance(Tensor weights)
    {
        using var scope = NewDisposeScope();
        var latents = Latents.Draw(SeedPlan.HeldOut(0, 16), TinyModel.Shape);
        var end = new SamplingLoop(
            new WeightsDenoiser(new Trainable(_model)) { Weights = weights }, new EulerSolver(), TinyModel.Schedule)
            .Sample(latents).Samples;
        var teacher = new TeacherPath(_model, TinyModel.Schedule, SolverCatalog.Find("ipndm:3"), 6).Solve(latents, null, default)[^1];
        return (end - teacher).square().mean().sqrt().item<float>();
    }
}
