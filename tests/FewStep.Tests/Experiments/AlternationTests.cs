using FewStep.Experiments;
using FewStep.Models;
using FewStep.Noise;
using FewStep.Fitting;
using FewStep.Solvers;
using FewStep.Tests.Cli;
using FewStep.Tuning;

namespace FewStep.Tests.Experiments;

public sealed class AlternationTests : IDisposable
{
    private static readonly Sampler First = new(new SamplingSchedule([80, 2, 0.4, 0.002]), SolverCatalog.Find("euler"));
    private readonly TinyWorld _world = new();
    private readonly Model _model;

    public AlternationTests() => _model = Model.Open(_world.Model, new ModelOptions { ComputeType = ScalarType.Float32 });

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _model.Dispose();
        _world.Dispose();
    }

    [Fact]
    public void No_rounds_tune_nothing() => Assert.Empty(Execute(Options(0)));

    [Fact]
    public void One_round_tunes_to_the_schedule_as_it_is_and_judges_nothing()
    {
        var round = Assert.Single(Execute(Options(1)));
        Assert.Equal((1, First), (round.Round, round.Sampler));
        Assert.Null(round.TeacherDistance);
        Assert.Empty(round.Further);
        using var tuned = Model.Open(round.ModelPath);
        Assert.Equal(First, tuned.Sampler! with { Origin = First.Origin });
        Assert.NotEqual(_model.Hash, tuned.Hash);
    }

    [Fact]
    public void Rounds_go_on_from_the_weights_before_on_sigmas_of_more_equal_errors()
    {
        var options = Options(2);
        var rounds = Execute(options);
        Assert.Equal([1, 2], rounds.Select(r => r.Round));
        Assert.NotEqual(rounds[0].Sampler.Schedule, rounds[1].Sampler.Schedule);
        Assert.Equal((80, 0.002), (rounds[1].Sampler.Schedule.Sigmas[0], rounds[1].Sampler.Schedule.Sigmas[^1]));
        Assert.IsType<FittedSolver>(rounds[1].Sampler.Solver);
        Assert.Equal(2, rounds.Select(r => r.Report.Options.Seed).Distinct().Count());
        Assert.All(rounds, r => Assert.True(r.TeacherDistance > 0));
        Assert.Equal(["judging round 1", "errors of the intervals after round 1"], rounds[0].Further.Select(l => l.Stage));
        Assert.Equal(["judging round 2"], rounds[1].Further.Select(l => l.Stage));
        Assert.All(rounds.SelectMany(r => r.Further), l => Assert.True(l.NetworkEvaluations > 0));
        // From the same folder nothing is done again.
        var again = Execute(options);
        Assert.Equal(rounds.Select(r => r.Sampler), again.Select(r => r.Sampler));
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
        return new Alternation(_model, null, null, options, new RunFolder(options.Folder)).Execute(First, null, cancellation ?? Token);
    }

    private RunOptions Options(int rounds) => new()
    {
        Folder = _world.At("run"),
        Steps = 3,
        Rounds = rounds,
        Fit = new FitOptions { Latents = 8, HeldOutLatents = 8, TeacherSteps = 8 },
        Tuning = new TuningOptions { Updates = 4, Batch = 2, EvaluationInterval = 2, HeldOutCount = 4, LearningRate = 1e-3 },
    };
}
