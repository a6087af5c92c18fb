using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Denoising;
using TorchSharp;

namespace FewStep.Tests.Sampling;

public sealed class SamplingLoopTests : IDisposable
{
    private static readonly ImageShape Shape = new(1, 2, 2);
    private static readonly SamplingSchedule Schedule = StandardSchedules.Create("karras", 6, 0.002, 80);

    private readonly GaussianMixtureDenoiser _denoiser = new(
        new GaussianMixture(Shape, [0.5, 0.5], [[1, 0, -1, 0.5], [-1, 0.3, 0, -0.2]], [0.2, 0.3], [0, 1]));

    public void Dispose() => _denoiser.Dispose();

    public static TheoryData<string> Solvers
        => [.. SolverCatalog.All.Where(s => !s.AddsNoise).Select(s => s.Name), "unipc:3:predict=noise", "dpmpp:3:predict=noise"];

    [Theory]
    [MemberData(nameof(Solvers))]
    [InlineData("two-step memory")]
    public void The_number_of_live_tensors_is_constant_over_steps_and_nothing_is_left(string name)
    {
        ISolver solver = name == "two-step memory" ? new RememberingSolver() : SolverCatalog.Find(name);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (var latents = Latents.Draw([1, 2], Shape))
        {
            var live = new List<long>();
            var sampler = new SamplingLoop(_denoiser, solver, StandardSchedules.Create("karras", 30, 0.002, 80));
            var result = sampler.Sample(latents, observe: _ => live.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount));
            Assert.Single(live[5..^3].Distinct()); // the history is full, and the last orders are not yet lower
            Assert.False(result.Samples.IsInvalid);
            result.Samples.Dispose();
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Samples_belong_to_the_callers_scope_and_the_latents_stay_as_they_are()
    {
        using var latents = Latents.Draw([1, 2], Shape);
        using var copy = latents.clone();
        Tensor samples;
        using (NewDisposeScope())
        {
            samples = new SamplingLoop(_denoiser, new HeunSolver(), Schedule).Sample(latents).Samples;
            Assert.Equal(ScalarType.Float32, samples.dtype);
            Assert.True(copy.Equals(latents));
        }

        Assert.True(samples.IsInvalid);
    }

    [Fact]
    public void The_trajectory_has_every_state_and_outlives_the_run()
    {
        using var scope = NewDisposeScope();
        using var trajectory = new Trajectory();
        var latents = Latents.Draw([1, 2], Shape, float64);
        var sampler = new SamplingLoop(_denoiser, new EulerSolver(), Schedule);
        var samples = sampler.Sample(latents, observe: trajectory.Record).Samples;
        Assert.Equal((7, 6), (trajectory.States.Count, trajectory.Denoised.Count));
        Assert.True(trajectory.States[0].Equals(latents * 80));
        Assert.True(trajectory.States[^1].Equals(samples));
        for (int i = 0; i < 6; i++)
        {
            Assert.True(
                trajectory.Denoised[i].Equals(_denoiser.Denoise(trajectory.States[i], tensor([Schedule.Sigmas[i]], float64), null)));
        }

        using var toZero = new Trajectory();
        var terminal = new SamplingSchedule(Schedule.Sigmas, ScheduleTerminal.Zero);
        var result = new SamplingLoop(_denoiser, new EulerSolver(), terminal).Sample(latents, observe: toZero.Record);
        Assert.Equal(7, toZero.Denoised.Count);
        Assert.True(toZero.States[^1].Equals(samples));
        Assert.True(toZero.Denoised[^1].Equals(result.Samples));
        Assert.Equal(7, result.EvaluationsPerImage);
    }

    [Fact]
    public void Labels_reach_the_denoiser()
    {
        using var scope = NewDisposeScope();
        var samples = new SamplingLoop(_denoiser, new HeunSolver(), Schedule).Sample(Latents.Draw([3, 3], Shape), tensor([0L, 1L])).Samples;
        Assert.Equal(1, samples[0, 0, 0, 0].item<float>(), 1f);
        Assert.Equal(-1, samples[1, 0, 0, 0].item<float>(), 1.2f);
    }

    [Fact]
    public void Evaluations_are_those_that_a_denoiser_made_of_others_counts()
    {
        using var scope = NewDisposeScope();
        var sampler = new SamplingLoop(new TwiceDenoiser(new CountingDenoiser(_denoiser)), new EulerSolver(), Schedule);
        var latents = Latents.Draw([1, 2, 3], Shape);
        Assert.Equal(12, sampler.Sample(latents).EvaluationsPerImage);
        Assert.Equal(36, sampler.Sample(latents).Evaluations); // of this run alone
    }

    [Theory]
    [MemberData(nameof(Solvers))]
    public void The_analytical_first_step_and_denoising_to_zero_go_with_every_solver(string name)
    {
        using var scope = NewDisposeScope();
        var solver = SolverCatalog.Find(name);
        using var normal = GaussianMixtureDenoiser.Gaussian(Shape, 0, 1); // for which the step is right to one part in 2 sigma^2
        var counter = new CountingDenoiser(normal);
        var terminal = new SamplingSchedule(Schedule.Sigmas, ScheduleTerminal.Zero);
        var latents = Latents.Draw([1, 2], Shape, float64);
        using var trajectory = new Trajectory();
        var result = new SamplingLoop(counter, solver, terminal, new SampleOptions { AnalyticalFirstStep = true })
            .Sample(latents, observe: trajectory.Record);
        Assert.Equal((6 * solver.EvaluationsPerStep) - 1 + 1, result.EvaluationsPerImage);
        Assert.Equal(counter.Images, result.Evaluations);
        Assert.True(result.Samples.Equals(normal.Denoise(trajectory.States[^1], tensor([0.002], float64), null)));
        Assert.True(
            (result.Samples - new SamplingLoop(normal, solver, terminal).Sample(latents).Samples).abs().max().item<double>() < 0.05);
    }

    [Theory]
    [MemberData(nameof(Solvers))]
    public void The_state_keeps_the_type_of_the_latents(string name)
    {
        using var scope = NewDisposeScope();
        var solver = SolverCatalog.Find(name);
        var wide = new SamplingLoop(_denoiser, solver, Schedule).Sample(Latents.Draw([1, 2], Shape, float64)).Samples;
        var single = new SamplingLoop(_denoiser, solver, Schedule).Sample(Latents.Draw([1, 2], Shape)).Samples;
        Assert.Equal(ScalarType.Float32, single.dtype);
        Assert.True(allclose(wide, single.to(float64), 1e-3, 1e-3));
    }

    [Fact]
    public void Solvers_that_ask_for_it_see_thresholded_outputs_and_the_observer_the_denoisers_own()
    {
        using var scope = NewDisposeScope();
        using var large = GaussianMixtureDenoiser.Gaussian(Shape, 3, 0.1);
        var latents = Latents.Draw([1], Shape, float64);
        var seen = new List<double>();
        var limited = new SamplingLoop(large, SolverCatalog.Find("dpmpp:1"), Schedule)
            .Sample(latents, observe: p => seen.Add(p.Denoised?.mean().item<double>() ?? 3));
        Assert.All(seen[..4], D => Assert.InRange(D, 2.8, 3.2)); // while the noise outweighs the state
        Assert.All(limited.Samples.data<double>(), v => Assert.InRange(v, 0.9, 1.01));
        var plain = new SamplingLoop(large, SolverCatalog.Find("dpmpp:1:thresholding=false"), Schedule).Sample(latents).Samples;
        Assert.True(allclose(plain, new SamplingLoop(large, new EulerSolver(), Schedule).Sample(latents).Samples, 1e-12, 1e-12));
    }

    [Fact]
    public void Cancellation_stops_between_steps()
    {
        using var latents = Latents.Draw([1], Shape);
        using var source = new CancellationTokenSource();
        var counter = new CountingDenoiser(_denoiser);
        var sampler = new SamplingLoop(counter, new EulerSolver(), Schedule);
        Assert.Throws<OperationCanceledException>(() => sampler.Sample(latents, observe: p =>
        {
            if (p.Index == 2)
                source.Cancel();
        }, cancellationToken: source.Token));
        Assert.Equal(3 * latents.shape[0], counter.Images);
    }

    [Fact]
    public void Wrong_latents_are_programmer_errors()
    {
        using var scope = NewDisposeScope();
        var sampler = new SamplingLoop(_denoiser, new EulerSolver(), Schedule);
        Assert.Throws<ArgumentException>(() => sampler.Sample(zeros(Shape.Batch(1), bfloat16)));
        Assert.Throws<ArgumentException>(() => sampler.Sample(zeros(Shape.Batch(0))));
        Assert.Throws<ArgumentException>(() => sampler.Sample(zeros(1, 2, 2)));
        Assert.Throws<ArgumentException>(() => sampler.Sample(zeros(1, 1, 2, 3)));
    }

    [Fact]
    public void History_is_newest_first_and_no_longer_than_asked()
    {
        using var scope = NewDisposeScope();
        var solver = new RememberingSolver();
        using var trajectory = new Trajectory();
        var samples = new SamplingLoop(_denoiser, solver, Schedule).Sample(Latents.Draw([1], Shape), observe: trajectory.Record).Samples;
        Assert.Equal([0, 1, 2, 2, 2, 2], solver.Lengths);
        Assert.Equal(Schedule.Sigmas[4], solver.Newest);
        Assert.Equal(samples.shape, trajectory.States[^1].shape);
    }

    /// <summary>Adams-Bashforth in 1/sigma with a correction that changes nothing, to exercise history and correction.</summary>
    private sealed class RememberingSolver : ISolver
    {
        public List<int> Lengths { get; } = [];

        public double Newest { get; private set; }

        public string Name => "remembering";

        public int Order => 2;

        public string Description => "test";

        public int HistoryLength => 2;

        public SolverResult Step(SolverStep step)
        {
            Lengths.Add(step.History.Count);
            var corrected = step.State + 0;
            double r = step.NextSigma / step.Sigma;
            var D = step.Denoised;
            if (step.History is [var past, ..])
            {
                Newest = past.Sigma;
                Assert.False(past.State.IsInvalid);
                Assert.True(step.History[^1].Sigma >= past.Sigma);
                D += 0.1 * (D - past.Denoised);
            }

            return new SolverResult(D.lerp(corrected, r), corrected);
        }
    }
}
