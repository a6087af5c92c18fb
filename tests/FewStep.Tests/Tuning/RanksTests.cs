using FewStep.Checkpoints;
using FewStep.Collectives;
using FewStep.Denoising;
using FewStep.Metrics;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Solvers;
using FewStep.Tests.Collectives;
using FewStep.Tests.Metrics;
using FewStep.Tuning;

namespace FewStep.Tests.Tuning;

/// <summary>Several ranks train as one process does, but for rounding.</summary>
public sealed class RanksTests : FolderTests
{
    private static readonly TuningOptions Short = new()
    {
        Updates = 6,
        Batch = 7, // which ranks do not divide
        LearningRate = 3e-3,
        EvaluationInterval = 3,
        HeldOutCount = 9,
        EmaHalfLifeImages = 20,
        TeacherBatches = 2,
        TeacherReuse = 2,
        SnapshotFractions = [0.5, 1],
    };

    private static readonly Sampler TwoSteps = new(new SamplingSchedule([14, 1.5, 0.05]), SolverCatalog.Find("euler"));

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private readonly int _threads = TorchLibrary.ThreadsInUse();

    // Ranks are threads here: with tensor threads of their own they would wait for each other on a processor.
    public RanksTests() => TorchLibrary.UseThreads(1);

    public override void Dispose()
    {
        TorchLibrary.UseThreads(_threads);
        base.Dispose();
    }

    [Theory]
    [InlineData(TuningLoss.Trajectory, 2, null)]
    [InlineData(TuningLoss.Endpoint, 4, 1)]
    [InlineData(TuningLoss.Consistency, 3, null)]
    [InlineData(TuningLoss.Denoise, 2, 2)]
    public void A_tuning_by_ranks_is_that_of_one_process(TuningLoss loss, int ranks, int? microBatch)
    {
        var options = Short with { Loss = loss, MicroBatch = microBatch };
        var (alone, ownLosses) = Tune("alone", options, SingleProcess.Instance);
        var reports = ThreadRanks.Run(ranks, own => Tune("ranks", options, own));

        // The first update sees the same latents or images; the averaged weights differ by rounding.
        Assert.All(reports, r => Assert.InRange(r.Losses[0] / ownLosses[0], 1 - 1e-5, 1 + 1e-5));
        Assert.All(reports, r => Assert.Equal(reports[0].Report.Curve, r.Report.Curve)); // and so are decisions
        Assert.Equal(alone.Curve.Count, reports[0].Report.Curve.Count);
        foreach (var (one, several) in alone.Curve.Zip(reports[0].Report.Curve))
            Assert.InRange(several.HeldOut / one.HeldOut, 1 - 1e-3, 1 + 1e-3);
        Assert.Equal(alone.Evaluations.Student, reports[0].Report.Evaluations.Student);
        Assert.Equal(alone.Evaluations.Teacher, reports[0].Report.Evaluations.Teacher);
        Close("alone/model.safetensors", "ranks/model.safetensors");
        Close("alone/snapshots/update-3/model.safetensors", "ranks/snapshots/update-3/model.safetensors");
        Close("alone/tuning.safetensors", "ranks/tuning.safetensors");
    }

    // The student's images of a whole batch are made once more, so the ranks evaluate more than a process alone does.
    [Theory]
    [InlineData(TuningLoss.Endpoint, 3)]
    [InlineData(TuningLoss.Regression, 2)]
    public void An_energy_distance_is_of_the_whole_batch(TuningLoss loss, int ranks)
    {
        var options = Short with { Loss = loss, EnergyWeight = 5 };
        var (alone, ownLosses) = Tune("alone", options, SingleProcess.Instance);
        var reports = ThreadRanks.Run(ranks, own => Tune("ranks", options, own));
        Assert.All(reports, r => Assert.InRange(r.Losses[0] / ownLosses[0], 1 - 1e-5, 1 + 1e-5));
        Assert.All(reports, r => Assert.Equal(reports[0].Report.Curve, r.Report.Curve));
        foreach (var (one, several) in alone.Curve.Zip(reports[0].Report.Curve))
            Assert.InRange(several.HeldOut / one.HeldOut, 1 - 1e-3, 1 + 1e-3);
        Close("alone/model.safetensors", "ranks/model.safetensors");
        Assert.Contains("held-out set of 2", Assert.Throws<InvalidInputException>(() => ThreadRanks.Run(
            3, own => Tune("few", options with { HeldOutCount = 2 }, own))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_number_of_ranks_makes_the_same_bits_again_and_another_number_goes_on()
    {
        ThreadRanks.Run(2, own => Tune("once", Short, own));
        ThreadRanks.Run(2, own => Tune("again", Short, own));
        byte[] once = File.ReadAllBytes(_folder.File("once/model.safetensors"));
        Assert.Equal(once, File.ReadAllBytes(_folder.File("again/model.safetensors")));

        // Stopped by one of the ranks, all of them stop; 3 ranks and then one process go on.
        Assert.All(ThreadRanks.Run(2, own => Tune("parts", Short, own, stopAfter: 2).Report),
            r => Assert.Equal((TuningStop.Cancelled, 2), (r.Stop, r.Updates)));
        Assert.All(ThreadRanks.Run(3, own => Tune("parts", Short, own, stopAfter: 4).Report),
            r => Assert.Equal((TuningStop.Cancelled, 4), (r.Stop, r.Updates)));
        string? remark = null;
        Assert.Equal(TuningStop.AllUpdates, Tune("parts", Short, SingleProcess.Instance, remark: text => remark = text).Report.Stop);
        Assert.Contains("on 3 ranks", remark, StringComparison.Ordinal);
        Close("once/model.safetensors", "parts/model.safetensors");
    }

    [Fact]
    public void Adapters_are_trained_by_ranks_too()
    {
        var options = Short with { Lora = new LoraOptions { Rank = 2 }, Loss = TuningLoss.Trajectory };
        float[][] results = [.. ThreadRanks.Run(3, own => Lora(options, own)), Lora(options, SingleProcess.Instance)];
        Assert.All(results, r => Assert.True(Near(r, results[^1])));
        Assert.Contains(results[0], w => w != 0);
    }

    [Fact]
    public void A_loss_that_is_not_finite_ends_all_ranks()
    {
        var reports = ThreadRanks.Run(2, own => Tune("diverged", Short with { LearningRate = 1e30 }, own).Report);
        Assert.All(reports, r => Assert.Equal(TuningStop.Diverged, r.Stop));
    }

    [Fact]
    public void Pre_training_by_ranks_is_that_of_one_process()
    {
        Train("alone", SingleProcess.Instance, 96);
        ThreadRanks.Run(3, own => Train("ranks", own, 48));
        ThreadRanks.Run(2, own => Train("ranks", own, 96));
        Close("alone/training.safetensors", "ranks/training.safetensors");
        Close("alone/model/model.safetensors", "ranks/model/model.safetensors");
    }

    [Fact]
    public void A_classifier_by_ranks_is_that_of_one_process()
    {
        var options = new ClassifierTrainingOptions { Epochs = 2, Batch = 10, Shift = 1 };
        var (alone, accuracy) = Classify(options, SingleProcess.Instance);
        foreach (var (weights, same) in ThreadRanks.Run(4, own => Classify(options, own)))
        {
            // Adam makes whole steps of what rounding leaves of gradients that are zero, so single weights differ by those.
            double difference = Math.Sqrt(alone.Zip(weights, (a, b) => (double)(a - b) * (a - b)).Sum());
            Assert.InRange(difference, 0, 0.01 * Math.Sqrt(alone.Sum(w => (double)w * w)));
            Assert.Equal(accuracy, same, 0.1);
        }
    }

    [Fact]
    public void Ranks_that_differ_and_batches_that_are_too_small_are_refused()
    {
        Refused.With("The ranks differ in model, options, data or checkpoint",
            () => ThreadRanks.Run(2, own => Tune("differ", Short with { Seed = own.Rank }, own)));
        Refused.With("cannot be divided among 3 ranks", () => ThreadRanks.Run(3, own => Tune("small", Short with { Batch = 2 }, own)));
    }

    // What each rank keeps beside the weights is its share of the moments, the average and the best.
    [Fact]
    public void The_optimiser_s_state_is_divided()
    {
        long[] kept = ThreadRanks.Run(4, own =>
        {
            using var scope = NewDisposeScope();
            using var state = new TuningState(zeros(1001), Short, own);
            return state.Training.Optimizer.FirstMoment.NumberOfElements + state.Training.Average!.Weights.NumberOfElements;
        });
        Assert.Equal([502, 502, 502, 496], kept);
    }

    private (TuningReport Report, List<double> Losses) Tune(
        string folder, TuningOptions options, ICollective ranks, int stopAfter = -1, Action<string>? remark = null)
    {
        using var model = TinyModel.Create(classes: 2);
        using var stop = new CancellationTokenSource();
        List<double> losses = [];
        var observer = new TuningObserver
        {
            Update = update =>
            {
                losses.Add(update.Loss);
                if (update.Update == stopAfter && ranks.Rank == ranks.Ranks - 1)
                    stop.Cancel();
            },
        };
        var images = new TuningImages(TinyModel.Images(20, 1, labelled: true), TinyModel.Images(20, 2, labelled: true), Flip: true);
        var place = new TuningRunOptions { Folder = _folder.File(folder), Ranks = ranks, CheckpointSeconds = 0, Remark = remark };
        var run = new TuningRun(TinyModel.Config(2), model, TinyModel.Sampler, options, place, images);
        return (run.Execute(observer, stopAfter < 0 ? Token : stop.Token), losses);
    }

    private static float[] Lora(TuningOptions options, ICollective ranks)
    {
        using var scope = NewDisposeScope();
        using var source = ModelSource.Open(GoldenPipelines.At("dit-tiny"));
        using var tuned = new Tuner(source.Denoiser, TwoSteps, options, ranks: ranks).Run(cancellation: Token);
        return tuned.Weights.data<float>().ToArray();
    }

    private (long, bool) Train(string folder, ICollective ranks, long images)
    {
        var config = TrainableModel.Config with { Network = ((SongUNetOptions)TrainableModel.Config.Network) with { Dropout = 0 } };
        var options = new TrainerOptions { Images = images, Batch = 16, WarmUpImages = 32, EmaHalfLifeImages = 50, Seed = 3 };
        // A training's length may change, and its learning rate follows.
        var place = new TrainingRunOptions { Folder = _folder.File(folder), Flip = true, Ranks = ranks };
        return new TrainingRun(config, options with { LearningRate = 1e-3 }, new TrainableModel.Images(), place).Execute(null, null, Token);
    }

    private static (float[], double) Classify(ClassifierTrainingOptions options, ICollective ranks)
    {
        using var images = new StripedImages(40, 1);
        using var test = new StripedImages(20, 2);
        using var scope = NewDisposeScope();
        var configuration = new ClassifierConfiguration(new ImageShape(1, 8, 8), 4, [8], 1, "FD");
        using var classifier = ClassifierTrainer.Train(configuration, images, test, options, cancellation: Token, ranks: ranks);
        float[] weights = [.. classifier.Weights().SelectMany(w => w.Value.detach().data<float>().ToArray())];
        return (weights, classifier.Configuration.Training!.TestAccuracy);
    }

    private void Close(string expected, string actual)
    {
        using var scope = NewDisposeScope();
        var (one, _) = SafetensorsFile.Read(_folder.File(expected));
        var (other, _) = SafetensorsFile.Read(_folder.File(actual));
        Assert.Equal(one.Keys.Order(), other.Keys.Order());
        foreach (var (name, tensor) in one)
        {
            float[] a = tensor.to(ScalarType.Float32).data<float>().ToArray();
            float[] b = other[name].to(ScalarType.Float32).data<float>().ToArray();
            Assert.True(Near(a, b), $"{name} of {actual}");
        }
    }

    // Rounding alone: Adam divides by roots of small moments, which takes it up a little.
    private static bool Near(float[] a, float[] b)
        => a.Length == b.Length && a.Zip(b, (x, y) => Math.Abs(x - y) <= 1e-3f * (0.1f + Math.Abs(x))).All(near => near);
}
