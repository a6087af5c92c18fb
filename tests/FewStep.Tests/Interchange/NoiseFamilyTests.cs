using FewStep.Checkpoints;
using FewStep.Interchange;
using FewStep.Noise;

namespace FewStep.Tests.Interchange;

/// <summary>Lists for other programs in the unit of the model's own family, against those that diffusers' schedulers made.</summary>
public sealed class NoiseFamilyTests
{
    // Golden sigmas are float32, and so are the products of betas that they come from.
    private const double OfFloat32 = 1e-4;

    private static readonly string[] OfSigmas = ["sigmas", "json", "comfyui", "k-diffusion", "stable-diffusion.cpp", "webui"];

    public static TheoryData<string, double[], double[]> Discrete => new()
    {
        { "sd15-tiny", [999, 666, 333, 0], [14.614645004, 2.918308258, 0.932358325, 0.029167533] },
        { "sd15-tiny", [999, 749, 499, 249], [14.614645004, 4.081730843, 1.612887025, 0.693205416] }, // trailing
        { "sd2-v-tiny", [999, 666, 333, 0], [14.614645004, 2.918308258, 0.932358325, 0.029167533] },
        { "dit-tiny", [999, 666, 333, 0], [157.407257080, 9.488921165, 1.462356925, 0.010001330] },
    };

    [Theory]
    [MemberData(nameof(Discrete))]
    public void Timesteps_and_sigmas_of_diffusers_go_out_and_come_back(string pipeline, double[] times, double[] sigmas)
    {
        var family = (NoiseFamily.Timesteps)Family(pipeline);
        var options = new ScheduleExportOptions { Family = family, Digits = 17 };
        var schedule = new SamplingSchedule(sigmas, ScheduleTerminal.Zero);
        string listed = ScheduleExporters.Export("timesteps", schedule, options).Text;
        Assert.Equal(times, ScheduleImport.Parse(listed).Numbers);
        Assert.True(ScheduleImport.Parse(listed).MustBeTimesteps(family));
        Near(sigmas, ScheduleImport.Parse(listed).Timesteps(family.Noise).Sigmas);
        foreach (string target in OfSigmas)
        {
            var back = ScheduleImport.Parse(ScheduleExporters.Export(target, schedule, options).Text);
            Assert.False(back.MayBeTimesteps(family));
            Assert.Equal([.. sigmas, 0], back.Numbers);
            Near(sigmas, back.Sigmas().Sigmas);
        }

        Assert.Equal([.. sigmas, 0], ScheduleImport.Parse(
            ScheduleExporters.Export("diffusers", schedule, options with { Scheduler = "EulerDiscrete" }).Text).Numbers);
        Assert.Equal(times, ScheduleImport.Parse(
            ScheduleExporters.Export("diffusers", schedule, options with { Scheduler = "DPMSolverMultistep" }).Text).Numbers);
        string all = ScheduleExporters.Export("diffusers", schedule, options).Text;
        Assert.DoesNotContain("FlowMatch", all, StringComparison.Ordinal);
        Assert.DoesNotContain("EDMEuler", all, StringComparison.Ordinal);
    }

    [Fact]
    public void The_published_trailing_table_is_what_diffusers_visits()
    {
        var family = (NoiseFamily.Timesteps)Family("sd15-tiny");
        var table = StandardSchedules.Create("sd-trailing", 4, family.Noise.Sigmas[0], family.Noise.Sigmas[^1]);
        Assert.Equal("999, 749, 499, 249",
            ScheduleExporters.Export("timesteps", table, new ScheduleExportOptions { Family = family }).Text);
    }

    [Theory]
    [InlineData("sd3-tiny", 3, false, 0, new[] { 1, 0.857692301, 0.602150559, 0.00892857183 })]
    [InlineData("flux-tiny", 1.5960, true, 64, new[] { 1, 0.827228665, 0.614791870, 0.347258389 })]
    public void Flow_times_of_diffusers_go_out_before_and_after_its_shift_and_come_back(
        string pipeline, double shift, bool isDynamic, long tokens, double[] times)
    {
        var scheduler = FlowMatchScheduler.Of(GoldenPipelines.At(pipeline))!;
        var family = (NoiseFamily.FlowTimes)NoiseFamily.Of(scheduler.Preconditioning.Build(), scheduler.ShiftFor(tokens));
        Assert.Equal((shift, isDynamic), (Math.Round(family.Shift.Factor, 3), family.Shift.IsDynamic));
        var schedule = scheduler.Schedule(4, tokens);
        var options = new ScheduleExportOptions { Family = family };
        foreach (string target in new[] { "comfyui", "stable-diffusion.cpp", "stable-diffusion.net" })
        {
            var listed = ScheduleImport.Parse(ScheduleExporters.Export(target, schedule, options).Text);
            Assert.True(listed.MayBeFlowTimes);
            Assert.All(listed.Numbers.Zip([.. times, 0]), pair => Assert.Equal(pair.Second, pair.First, 6));
            Near(schedule.Sigmas, listed.FlowTimes(1e6, null).Sigmas);
        }

        // What the scheduler does with its argument gives the times that it went through.
        string text = ScheduleExporters.Export("diffusers", schedule, options).Text;
        var given = ScheduleImport.Parse(text);
        Assert.All(given.Numbers.Zip(times), pair => Assert.Equal(pair.Second, FlowTime.Shifted(pair.First, family.Shift.Factor), 6));
        if (isDynamic)
            Assert.All(given.Numbers.Zip([1, 0.75, 0.5, 0.25]), pair => Assert.Equal(pair.Second, pair.First, 6));
        Near(schedule.Sigmas, given.FlowTimes(1e6, null).Sigmas);
        Assert.Throws<InvalidInputException>(() => ScheduleExporters.Export("diff-sampler", schedule, options));
        Assert.Throws<InvalidInputException>(() => ScheduleExporters.Export("timesteps", schedule, options));
    }

    [Fact]
    public void Models_of_noise_levels_have_no_other_unit()
    {
        var options = new ScheduleExportOptions { Family = NoiseFamily.Of(new PreconditioningConfig().Build()) };
        var schedule = new SamplingSchedule([80, 9.5, 1.25, 0.002]);
        Assert.Contains("There are no timesteps", Assert.Throws<InvalidInputException>(
            () => ScheduleExporters.Export("timesteps", schedule, options)).Message, StringComparison.Ordinal);
        Assert.Contains("does not sample a model that is told noise levels", Assert.Throws<InvalidInputException>(
            () => ScheduleExporters.Export("diffusers", schedule, options with { Scheduler = "FlowMatchEulerDiscrete" })).Message,
            StringComparison.Ordinal);
        string text = ScheduleExporters.Export("diffusers", schedule, options).Text;
        Assert.Contains("EDMEuler", text, StringComparison.Ordinal);
        Assert.DoesNotContain("timesteps=", text, StringComparison.Ordinal);
        Assert.DoesNotContain("flow times", text, StringComparison.Ordinal);
        Assert.False(ScheduleImport.Parse("999, 500").MayBeTimesteps(options.Family));
        Assert.True(ScheduleImport.Parse("999, 500").MayBeTimesteps(null));
    }

    [Fact]
    public void Noise_that_ends_without_signal_keeps_its_last_timestep()
    {
        var noise = DiscreteVpNoise.ScaledLinear().WithZeroTerminalSnr();
        var family = new NoiseFamily.Timesteps(noise);
        double[] times = [999, 749, 499, 249];
        var schedule = ScheduleImport.Parse("999, 749, 499, 249").Timesteps(noise);
        Assert.Equal(DiscreteVpNoise.SigmaOfNoSignal, schedule.Sigmas[0], 6);
        Assert.Equal(times, ScheduleImport.Parse(
            ScheduleExporters.Export("timesteps", schedule, new ScheduleExportOptions { Family = family }).Text).Numbers);

        // No larger than its sigmas: only the text or its user can say what such numbers are.
        Assert.True(ScheduleImport.Parse("999, 749").MayBeTimesteps(family));
        Assert.False(ScheduleImport.Parse("999, 749").MustBeTimesteps(family));
    }

    private static NoiseFamily Family(string pipeline)
        => NoiseFamily.Of(DiffusersNoise.Read(GoldenPipelines.At(pipeline, "scheduler", "scheduler_config.json")).Preconditioning.Build());

    private static void Near(IEnumerable<double> expected, IEnumerable<double> actual)
    {
        Assert.Equal(expected.Count(), actual.Count());
        Assert.All(expected.Zip(actual), pair => Assert.InRange(pair.Second / pair.First, 1 - OfFloat32, 1 + OfFloat32));
    }
}
