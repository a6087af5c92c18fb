using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Networks;
using FewStep.Tuning;
using TorchSharp;

namespace FewStep.Tests.Solvers;

public sealed class LcmSolverTests : IDisposable
{
    private static readonly ImageShape Shape = new(1, 4, 4);
    private static readonly SamplingSchedule Schedule = new([20, 5, 1, 0.1]);

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly GaussianMixtureDenoiser _gaussian = GaussianMixtureDenoiser.Gaussian(Shape, 0.3, 0.5);

    public void Dispose()
    {
        _gaussian.Dispose();
        _scope.Dispose();
    }

    // x_t of LCMScheduler is x / sqrt(1 + sigma^2).
    [Fact]
    public void Latent_consistency_models_are_sampled_as_diffusers_does()
    {
        using var source = ConditionUNetFolder.Read(GoldenPipelines.Latents("lcm-tiny"));
        var golden = GoldenPipelines.Arrays("lcm-tiny", "unet.golden.npz");
        source.Denoiser.Conditions = new GivenConditions(new() { Context = golden["encoder_hidden_states"], GuidanceScale = golden["w"] });
        var noise = ((DiscreteVpPreconditioning)source.Denoiser.Preconditioning).Noise;
        int[] times = [.. golden["lcm_timesteps"].data<long>().Select(t => (int)t)];
        var schedule = StandardSchedules.Create("sd-lcm", 4, noise.Sigmas[0], noise.Sigmas[^1]);
        Assert.Equal(times, noise.DistinctTimes([.. schedule.Sigmas.SkipLast(1)]));
        double Scale(int i) => Math.Sqrt(1 + (schedule.Sigmas[i] * schedule.Sigmas[i]));
        var labels = tensor(new long[] { 0, 1 });
        Tensor x = golden["sample"] * Scale(0);
        for (int i = 0; i < 4; i++)
        {
            int step = i;
            GoldenPipelines.Agrees(golden["lcm_trajectory"][i], x / Scale(i), GoldenPipelines.OfTrajectory);
            var denoised = source.Denoiser.DenoiseAt(x, schedule.Sigmas[i], labels);
            GoldenPipelines.Agrees(golden["lcm_denoised"][i], denoised, GoldenPipelines.OfTrajectory);
            x = new LcmSolver().Step(new SolverStep(schedule, i, x, denoised, [], (_, _) => throw new InvalidOperationException(),
                noise: () => golden["lcm_noise"][step])).Next;
        }

        GoldenPipelines.Agrees(golden["lcm_trajectory"][4], x, GoldenPipelines.OfTrajectory);
    }

    [Fact]
    public void At_time_zero_a_latent_consistency_model_changes_nothing()
    {
        var noise = DiscreteVpNoise.ScaledLinear();
        Tensor sigma = tensor(new[] { noise.Sigmas[0], noise.Sigmas[5], noise.Sigmas[999] });
        var plain = new DiscreteVpPreconditioning(noise, NetworkPrediction.V).Coefficients(sigma);
        var jumps = new DiscreteVpPreconditioning(noise, NetworkPrediction.V) { BoundaryScale = 10 }.Coefficients(sigma);
        Tensor alpha = (sigma * sigma + 1).rsqrt(), scaled = tensor(new[] { 0.0, 50, 9990 });
        Tensor skip = 0.25 / (scaled * scaled + 0.25), own = scaled / (scaled * scaled + 0.25).sqrt();
        GoldenPipelines.Agrees(own * plain.Skip + skip * alpha, jumps.Skip, 1e-12);
        GoldenPipelines.Agrees(own * plain.Out, jumps.Out, 1e-12);
        Assert.Equal((alpha[0].item<double>(), 0.0), (jumps.Skip[0].item<double>(), jumps.Out[0].item<double>()));
        Refused.With("needs a boundary_scale above 0", () => new PreconditioningConfig
        { Kind = PreconditioningConfig.Discrete, BoundaryScale = 0 }.Build());
    }

    [Fact]
    public void Each_image_s_own_generator_draws_its_noise()
    {
        using var generator = new Generator(7);
        Tensor Next() => randn(Shape.Batch(1), dtype: float32, generator: generator).to(float64);
        Tensor D(Tensor x, double sigma) => _gaussian.DenoiseAt(x, sigma, null);
        var latents = Latents.Draw([7], Shape, float64);
        Tensor x = Next() * 20;
        x = D(x, 20) + Next() * 5;
        x = D(x, 5) + Next();
        var jumped = D(x, 1);
        var loop = new SamplingLoop(_gaussian, new LcmSolver(), Schedule);
        var result = loop.SampleSeeded(latents, [7L]);
        Assert.True(allclose(jumped, result.Samples, 1e-13, 1e-13));
        Assert.Equal(3, result.EvaluationsPerImage);

        // A last denoise has a level of its own to go back to.
        var end = new SamplingLoop(_gaussian, new LcmSolver(), new SamplingSchedule(Schedule.Sigmas, ScheduleTerminal.Zero))
            .SampleSeeded(latents, [7L]);
        Assert.True(allclose(D(jumped + Next() * 0.1, 0.1), end.Samples, 1e-13, 1e-13));
        Assert.Equal(4, end.EvaluationsPerImage);

        Tensor All(int size) => cat([.. new BatchSampler(loop) { BatchSize = size, Type = float64 }
            .Sample(SeedList.Parse("0-4,7")).Select(b => b.Images)]);
        Assert.True(allclose(All(64), All(4), 1e-13, 1e-13));
        Assert.True(allclose(All(64)[^1], jumped[0], 1e-13, 1e-13));
    }

    [Fact]
    public void What_needs_a_function_of_the_latents_refuses_it()
    {
        var solver = SolverCatalog.Find("lcm");
        using var latents = Latents.Draw([1], Shape);
        Refused.With("makes no fixed function of the latents", () => new SamplingLoop(_gaussian, solver, Schedule).Sample(latents));
        Refused.With("makes no fixed function of the latents", () => LinearSampler.Of(new Sampler(Schedule, solver)));
        Refused.With("add no noise", () => new TuningOptions().Check(solver));
        Refused.With("adds noise, so there is no end to fit to", () => new FewStep.Fitting.FitOptions { Solver = "lcm" }.Checked());
        Refused.With("adds noise, so there is nothing to fit", () => _ = new FittedSolver(solver, Schedule,
            Enumerable.Repeat(new StepCorrection { Differences = [] }, 3)));
        Refused.With("leave stochastic sampling (S_churn) out",
            () => _ = new SamplingLoop(_gaussian, solver, Schedule, new SampleOptions { Churn = new() { Amount = 1 } }));
        string root = GoldenPipelines.At("lcm-tiny");
        using var model = Model.Open(root, new() { ComputeType = float32, NeedsNoPrompts = true });
        Assert.Contains(model.Remarks, remark => remark.Contains("the solver lcm over the schedule sd-lcm", StringComparison.Ordinal));
        Assert.Equal(10, model.Config.Preconditioning.BoundaryScale);
    }
}
