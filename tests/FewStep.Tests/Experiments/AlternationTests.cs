using FewStep.Experiments;
using FewStep.Models;
using FewStep.Noise;
using FewStep.Search;
using FewStep.Tests.Cli;
using FewStep.Tests.Metrics;
using FewStep.Tuning;

namespace FewStep.Tests.Experiments;

public sealed class AlternationTests : IDisposable
{
    private static readonly SamplingSchedule First = new([80, 2, 0.4, 0.002]);
    private readonly TinyWorld _world = new();
    private readonly StripedImages _images = new(20, 1);
    private readonly Model _model;

    public AlternationTests() => _model = Model.Open(_world.Model, new ModelOptions { ComputeType = ScalarType.Float32 });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _model.Dispose();
        _images.Dispose();
        _world.Dispose();
    }

    [Fact]
    public void No_rounds_tune_nothing() => Assert.Empty(Execute(Options(0)));

    [Fact]
    public void One_round_tunes_to_the_schedule_as_it_is_and_judges_nothing()
    {
        var round = Assert.Single(Execute(Options(1)));
        Assert.Equal((1, First, 0.0), (round.Round, round.Schedule, round.Report.Options.Jitter));
        Assert.Null(round.TeacherDistance);
        Assert.Empty(round.Further);
        using var tuned = Model.Open(round.ModelPath);
        Assert.Equal(First, tuned.Sampler!.Schedule);
        Assert.NotEqual(_model.Hash, tuned.Hash);
    }

    [Fact]
    public void Rounds_go_on_from_the_weights_before_on_a_schedule_of_the_tuned_models_curve()
    {
        var options = Options(2);
        var rounds = Execute(options);
        Assert.Equal([1, 2], rounds.Select(r => r.Round));
        Assert.Equal([options.Jitter, 0], rounds.Select(r => r.Report.Options.Jitter));
        Assert.NotEqual(rounds[0].Schedule, rounds[1].Schedule);
        Assert.Equal((80, 0.002), (rounds[1].Schedule.Sigmas[0], rounds[1].Schedule.Sigmas[^1]));
        Assert.Equal(2, rounds.Select(r => r.Report.Options.Seed).Distinct().Count());
        Assert.All(rounds, r => Assert.True(r.TeacherDistance > 0));
        Assert.Equal(["judging round 1", "loss curve after round 1"], rounds[0].Further.Select(l => l.Stage));
        Assert.Equal(["judging round 2"], rounds[1].Further.Select(l => l.Stage));
        Assert.All(rounds.SelectMany(r => r.Further), l => Assert.True(l.NetworkEvaluations > 0));
        // From the same folder nothing is done again.
        var again = Execute(options);
        Assert.Equal(rounds.Select(r => r.Schedule), again.Select(r => r.Schedule));
        Assert.Equal(rounds.Select(r => r.TeacherDistance), again.Select(r => r.TeacherDistance));
    }

    [Fact]
    public void A_round_that_is_cancelled_ends_the_alternation()
    {
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => Execute(Options(1), source.Token));
    }

    private IReadOnlyList<AlternationRound> Execute(RunOptions options, CancellationToken? cancellation = null)
    {
        var images = new TrainingImages(_images);
        LossCurveOptions Curve() => new() { Points = 8, MinimumImages = 8, MaximumImages = 8, Steps = [options.Steps] };
        var curve = new LossCurveEstimator(_model.Denoiser, images, Curve()).Estimate(null, Token);
        return new Alternation(_model, images, null, options, new RunFolder(options.Folder), Curve)
            .Execute(curve, First, null, cancellation ?? Token);
    }

    private RunOptions Options(int rounds) => new()
    {
        Folder = _world.At("run"),
        Steps = 3,
        Rounds = rounds,
        Tuning = new TuningOptions { Updates = 4, Batch = 2, EvaluationInterval = 2, HeldOutCount = 4, LearningRate = 1e-3 },
    };
}
