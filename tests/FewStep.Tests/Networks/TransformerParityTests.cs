using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using TorchSharp;
using static FewStep.Tests.GoldenPipelines;

namespace FewStep.Tests.Networks;

/// <summary>Diffusion transformers, their guidance and their trajectories against what diffusers and facebookresearch/DiT
/// computed.</summary>
public sealed class TransformerParityTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    [Fact]
    public void DiT_is_diffusers()
    {
        using var source = ModelSource.Open(At("dit-tiny"));
        var golden = Arrays("dit-tiny", "transformer.golden.npz");
        Tensor x = golden["sample"], times = golden["timesteps"].to(float32), labels = golden["class_labels"];
        Tensor Output(long index, Tensor? classes) => source.Denoiser.Raw(x, times[index].expand(3), classes);
        double weight = golden["guidance_scale"].Number();
        for (long i = 0; i < times.shape[0]; i++)
        {
            Tensor conditional = Output(i, labels), none = Output(i, null);
            Agrees(golden["output"][i], conditional, OfOneCall);
            Agrees(golden["output_null"][i], none, OfOneCall);
            Tensor guided = none + (conditional - none) * weight;
            Agrees(golden["output_cfg"][i].narrow(1, 0, 4), guided.narrow(1, 0, 4), OfTrajectory);
        }

        Agrees(golden["output_null"][0], Output(0, full(3, -1, int64)), OfOneCall);
        Tensor mixed = golden["mixed_labels"];
        mixed = where(mixed.eq(golden["null_label"]), full_like(mixed, -1), mixed);
        Agrees(golden["output_mixed"], source.Denoiser.Raw(x, golden["mixed_timesteps"].to(float32), mixed), OfOneCall);
    }

    [Theory]
    [InlineData("ddim4")]
    [InlineData("euler4")]
    public void Guided_DiT_samples_as_diffusers_does(string name)
    {
        using var source = ModelSource.Open(At("dit-tiny"));
        var golden = Arrays("dit-tiny", $"sampling-{name}.golden.npz");
        var noise = ((DiscreteVpPreconditioning)source.Denoiser.Preconditioning).Noise;
        int[] times = [.. golden["timesteps"].to(int32).data<int>()];
        var schedule = new SamplingSchedule(times.Select(t => noise.Sigmas[t]), ScheduleTerminal.Zero);

        // DDIM's x_t is x / sqrt(1 + sigma^2), and it begins with unit noise.
        bool isScaled = name == "ddim4";
        double Scale(double sigma) => isScaled ? Math.Sqrt(1 + (sigma * sigma)) : 1;
        double first = schedule.Sigmas[0];
        Tensor latents = golden["latents"] * (isScaled ? Scale(first) / first : 1);
        var guided = GuidedDenoiser.ClassifierFree(source.Denoiser, new Guidance { Weight = golden["guidance_scale"].Number() });
        var loop = new SamplingLoop(guided, new EulerSolver(), schedule);
        Tensor trajectory = golden["trajectory"];
        var result = loop.Sample(latents, golden["class_labels"],
            point => Agrees(trajectory[point.Index], point.State / Scale(point.Sigma), OfTrajectory));
        Agrees(trajectory[4], result.Samples, OfTrajectory);
        Assert.Equal(8, result.EvaluationsPerImage);
    }

    [Fact]
    public void DiT_is_facebookresearch()
    {
        using var source = ModelSource.Open(At("dit-tiny", "dit-original-names.pt"), new ModelReadOptions { Heads = 3 });
        Assert.Equal((16, 10), (source.Config.Shape.Height, source.Config.Classes));
        var golden = Arrays("dit-tiny", "dit-original-names.golden.npz");
        Tensor x = golden["sample"], times = golden["timesteps"].to(float32);
        Tensor conditional = source.Denoiser.Raw(x, times, golden["class_labels"]), none = source.Denoiser.Raw(x, times, null);
        Agrees(golden["output"], conditional, OfOneCall);
        Agrees(golden["output_null"], none, OfOneCall);
        Tensor guided = (none + (conditional - none) * golden["guidance_scale"].Number()).narrow(1, 0, 3);
        Agrees(golden["output_cfg_first3"], cat([cat([guided, conditional.narrow(1, 3, 5)], 1), cat([guided, none.narrow(1, 3, 5)], 1)]),
            OfTrajectory);
    }

    [Theory]
    [InlineData("sd3-tiny")]
    [InlineData("sd35-tiny")]
    public void Stable_Diffusion_3_is_diffusers(string name)
    {
        using var source = ModelSource.Open(At(name));
        var golden = Arrays(name, "transformer.golden.npz");
        NetworkCondition text = new() { Context = golden["encoder_hidden_states"], Pooled = golden["pooled_projections"] };
        NetworkCondition other = new() { Context = golden["encoder_hidden_states_uncond"], Pooled = golden["pooled_projections_uncond"] };
        source.Denoiser.Conditions = new GivenConditions(text, other);
        Tensor x = golden["hidden_states"], times = golden["timesteps"], labels = tensor(new long[] { 0, 1 });
        double weight = golden["guidance_scale"].Number();
        for (long i = 0; i < times.shape[0]; i++)
        {
            Tensor conditional = source.Denoiser.Raw(x, times[i].expand(2), labels);
            Tensor none = source.Denoiser.Raw(x, times[i].expand(2), null);
            Agrees(golden["output"][i], conditional, OfOneCall);
            Agrees(golden["output_cfg"][i], none + (conditional - none) * weight, OfTrajectory);
        }

        var guided = GuidedDenoiser.ClassifierFree(source.Denoiser, new Guidance { Weight = weight });
        Samples(golden, guided, x, labels, FlowMatchScheduler.Read(At(name, "scheduler", "scheduler_config.json")), 0, state => state);
    }

    [Fact]
    public void Flux_is_diffusers()
    {
        using var source = ModelSource.Open(At("flux-tiny", "transformer"), new ModelReadOptions { Resolution = 128 });
        var golden = Arrays("flux-tiny", "transformer.golden.npz");
        source.Denoiser.Conditions = new GivenConditions(new()
        {
            Context = golden["encoder_hidden_states"],
            Pooled = golden["pooled_projections"],
            GuidanceScale = golden["guidance"],
        });
        Tensor Packed(Tensor latents) => nn.functional.pixel_unshuffle(latents, 2).flatten(2).transpose(1, 2);
        Tensor x = golden["latents"], times = golden["timesteps"];
        Agrees(golden["hidden_states"], Packed(x), 0);
        for (long i = 0; i < times.shape[0]; i++)
            Agrees(golden["output"][i], Packed(source.Denoiser.Raw(x, times[i].expand(2), null)), OfOneCall);
        var scheduler = FlowMatchScheduler.Read(At("flux-tiny", "scheduler", "scheduler_config.json"));
        Assert.Equal(golden["mu"].Number(), scheduler.Mu(64), 6);
        Samples(golden, source.Denoiser, x, null, scheduler, 64, Packed);
    }

    public void Dispose() => _scope.Dispose();

    // A flow's x_t is x / (1 + sigma).
    private static void Samples(Dictionary<string, Tensor> golden, IDenoiser denoiser, Tensor latents, Tensor? labels,
        FlowMatchScheduler scheduler, long tokens, Func<Tensor, Tensor> packed)
    {
        double[] times = scheduler.Times(4, tokens);
        using var visited = tensor(times, float64);
        Agrees(golden["scheduler_sigmas"], visited, 2e-7);
        Agrees(golden["scheduler_timesteps"], visited.narrow(0, 0, 4) * scheduler.TimeSteps, 2e-7);
        var loop = new SamplingLoop(denoiser, new EulerSolver(), scheduler.Schedule(4, tokens));
        Tensor trajectory = golden["trajectory"];
        var result = loop.Sample(
            latents, labels, point => Agrees(trajectory[point.Index], packed(point.State / (1 + point.Sigma)), OfTrajectory));
        Agrees(trajectory[4], packed(result.Samples), OfTrajectory);
    }
}
