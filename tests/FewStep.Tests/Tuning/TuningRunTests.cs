using FewStep.Checkpoints;
using FewStep.Tuning;
using FewStep.Networks;
using FewStep.Noise;

namespace FewStep.Tests.Tuning;

public sealed class TuningRunTests : FolderTests
{
    private static readonly TuningOptions Short = new()
    {
        Updates = 22,
        Batch = 4,
        LearningRate = 3e-3,
        EvaluationInterval = 4,
        HeldOutCount = 8,
        EmaHalfLifeImages = 20,
        TeacherBatches = 2,
        SnapshotFractions = [0.5, 1],
    };

    private readonly NetworkDenoiser _model = TinyModel.Create(classes: 2);

    public override void Dispose()
    {
        _model.Dispose();
        base.Dispose();
    }

    [Theory]
    [InlineData(TuningLoss.Trajectory)]
    [InlineData(TuningLoss.Consistency)]
    [InlineData(TuningLoss.Endpoint)]
    [InlineData(TuningLoss.Denoise)]
    public void Interrupted_and_resumed_it_ends_as_if_it_had_not_been(TuningLoss loss)
    {
        var options = Short with { Loss = loss };
        var whole = Run("whole", options).Execute(cancellation: TestContext.Current.CancellationToken);
        TuningReport? resumed = null;
        foreach (int stopAfter in new[] { 3, 8, 17, int.MaxValue })
        {
            using var stop = new CancellationTokenSource();
            var observer = new TuningObserver
            {
                Update = u =>
                {
                    if (u.Update == stopAfter)
                        stop.Cancel();
                },
            };
            resumed = Run("parts", options).Execute(observer, stop.Token);
            Assert.Equal(stopAfter == int.MaxValue ? TuningStop.AllUpdates : TuningStop.Cancelled, resumed.Stop);
        }

        Assert.Equal(whole.Curve, resumed!.Curve);
        Assert.Equal((whole.BestUpdate, whole.BestHeldOut, whole.Updates, whole.Evaluations.Student),
            (resumed.BestUpdate, resumed.BestHeldOut, resumed.Updates, resumed.Evaluations.Student));
        Assert.Equal(
            File.ReadAllBytes(_folder.File("whole/model.safetensors")), File.ReadAllBytes(_folder.File("parts/model.safetensors")));
        Assert.Equal(Tensors("whole"), Tensors("parts"));
        Assert.Equal(File.ReadAllBytes(_folder.File("whole/snapshots/update-11/model.safetensors")),
            File.ReadAllBytes(_folder.File("parts/snapshots/update-11/model.safetensors")));
    }

    [Fact]
    public void Cancelled_it_leaves_a_usable_model_and_a_readable_curve()
    {
        using var stop = new CancellationTokenSource();
        var report = Run("run", Short).Execute(new TuningObserver { Point = p => CancelAt(p.Update, 12, stop) }, stop.Token);
        Assert.Equal((TuningStop.Cancelled, 12), (report.Stop, report.Updates));
        var (config, tuned) = ModelFolder.Read(_folder.File("run"));
        using (tuned)
        {
            Assert.Equal(TinyModel.Shape, config.Shape);
            Assert.False(tuned.Weights.Equals(_model.Weights));
        }

        var curve = JsonFile.Read<TuningReport>(_folder.File("run/tuning-curve.json"));
        Assert.Equal(report.Curve, curve.Curve);
        Assert.Equal((report.Stop, report.Explanation, report.Evaluations), (curve.Stop, curve.Explanation, curve.Evaluations));
        Assert.Equal((report.Options with { SnapshotFractions = [] }), curve.Options with { SnapshotFractions = [] });
    }

    [Fact]
    public void Cancelled_before_the_first_measurement_it_leaves_the_model_as_it_came()
    {
        Run("run", Short).Execute(cancellation: new CancellationToken(canceled: true));
        var (_, kept) = ModelFolder.Read(_folder.File("run"));
        using (kept)
        {
            Assert.True(kept.Weights.Equals(_model.Weights));
        }

        Assert.Equal(TuningStop.AllUpdates, Run("run", Short).Execute(cancellation: TestContext.Current.CancellationToken).Stop);
    }

    [Fact]
    public void A_finished_tuning_goes_on_where_more_updates_are_asked_for()
    {
        var token = TestContext.Current.CancellationToken;
        Run("run", Short).Execute(cancellation: token);
        var longer = Run("run", Short with { Updates = Short.Updates + 3 }).Execute(cancellation: token);
        Assert.Equal((TuningStop.AllUpdates, Short.Updates + 3), (longer.Stop, longer.Updates));
    }

    [Fact]
    public void A_checkpoint_says_where_it_is_resumed_otherwise_than_it_was_made()
    {
        Run("run", Short).Execute(cancellation: new CancellationToken(canceled: true));
        string path = _folder.File("run/tuning.safetensors");
        var (tensors, metadata) = SafetensorsFile.Read(path);
        metadata["computed_on"] = "cpu with 96 threads in float32";
        SafetensorsFile.Write(path, tensors, metadata);
        foreach (var tensor in tensors.Values)
            tensor.Dispose();
        string? remark = null;
        new TuningRun(TinyModel.Config(2), _model, TinyModel.Sampler, Short,
            new TuningRunOptions { Folder = _folder.File("run"), Remark = text => remark = text })
            .Execute(cancellation: TestContext.Current.CancellationToken);
        Assert.Contains("made on cpu with 96 threads in float32; it goes on on cpu with", remark, StringComparison.Ordinal);
    }

    [Fact]
    public void A_checkpoint_of_another_tuning_is_refused()
    {
        Run("run", Short).Execute(cancellation: new CancellationToken(canceled: true));
        using var start = _model.Weights + 0.1;
        TuningRun[] others =
        [
            Run("run", Short with { Seed = 1 }),
            new(TinyModel.Config(2), _model, TinyModel.Sampler with { Schedule = new SamplingSchedule([80, 5, 0.7, 0.002]) }, Short,
                new TuningRunOptions { Folder = _folder.File("run") }),
            new(TinyModel.Config(2), _model, TinyModel.Sampler, Short, new TuningRunOptions { Folder = _folder.File("run") }, start: start),
        ];
        Assert.All(others, run => Assert.Contains(
            "other options", Assert.Throws<InvalidInputException>(() => run.Execute()).Message, StringComparison.Ordinal));
    }

    [Fact]
    public void A_damaged_checkpoint_is_refused()
    {
        Run("run", Short).Execute(cancellation: new CancellationToken(canceled: true));
        string path = _folder.File("run/tuning.safetensors");
        var (tensors, metadata) = SafetensorsFile.Read(path);
        foreach (string bad in new[]
        {
            "",
            "null",
            "{}",
            """{"curve":[null],"stale":0,"loss_sum":0,"loss_count":0,"evaluations":{"teacher":0,"student":0,"held_out":0}}""",
            """{"curve":[],"best_update":3,"stale":-1,"loss_sum":0,"loss_count":0,"evaluations":{"teacher":0,"student":0,"held_out":0}}"""
        })
        {
            metadata["tuning"] = bad;
            SafetensorsFile.Write(path, tensors, metadata);
            Assert.Contains(
                "damaged", Assert.Throws<InvalidInputException>(() => Run("run", Short).Execute()).Message, StringComparison.Ordinal);
        }

        foreach (var tensor in tensors.Values)
            tensor.Dispose();
    }

    [Fact]
    public void Checkpoints_are_written_on_the_way()
    {
        var run = new TuningRun(TinyModel.Config(2), _model, TinyModel.Sampler, Short,
            new TuningRunOptions { Folder = _folder.File("run"), CheckpointSeconds = 0 });
        bool found = false;
        run.Execute(new TuningObserver { Update = u => found |= u.Update == 3 && File.Exists(_folder.File("run/tuning.safetensors")) },
            TestContext.Current.CancellationToken);
        Assert.True(found);
        Assert.True(File.Exists(Path.Combine(run.SnapshotPath(22), "model.safetensors")));
    }

    private static void CancelAt(int update, int at, CancellationTokenSource stop)
    {
        if (update == at)
            stop.Cancel();
    }

    private TuningRun Run(string name, TuningOptions options) => new(
        TinyModel.Config(2),
        _model,
        TinyModel.Sampler with { Solver = FewStep.Solvers.SolverCatalog.Find(options.Solver) },
        options,
        new TuningRunOptions { Folder = _folder.File(name) },
        new TuningImages(TinyModel.Images(20, 1, labelled: true), TinyModel.Images(9, 2, labelled: true)));

    private Dictionary<string, string> Tensors(string name)
    {
        var (tensors, _) = SafetensorsFile.Read(_folder.File($"{name}/tuning.safetensors"));
        return tensors.ToDictionary(t => t.Key, t =>
        {
            using var tensor = t.Value;
            return Convert.ToHexString(tensor.bytes);
        });
    }
}
