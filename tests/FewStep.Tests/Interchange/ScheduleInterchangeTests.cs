using CsCheck;
using FewStep.Checkpoints;
using FewStep.Interchange;
using FewStep.Noise;

namespace FewStep.Tests.Interchange;

public sealed class ScheduleInterchangeTests
{
    private static readonly SamplingSchedule Four = new([80, 9.5, 1.25, 0.0625, 0.002]);

    // Falling sigmas from 1e-4 to 1e4, apart by at least a thousandth.
    private static readonly Gen<SamplingSchedule> Schedules = Gen.Double[0.001, 1.5].Array[1, 12].Select(Gen.Bool, (steps, zero) =>
    {
        var sigmas = new List<double> { 80 };
        foreach (double step in steps)
            sigmas.Add(sigmas[^1] * Math.Exp(-step));
        return new SamplingSchedule(sigmas, zero ? ScheduleTerminal.Zero : ScheduleTerminal.SigmaMin);
    });

    // What classes that take timesteps need; of the others nothing is said of the model.
    private static NoiseFamily.Timesteps? Whole(DiscreteVpNoise noise, string scheduler)
        => scheduler.StartsWith("FlowMatch", StringComparison.Ordinal) || scheduler.StartsWith("EDM", StringComparison.Ordinal) ? null
            : new NoiseFamily.Timesteps(noise);

    public static TheoryData<string> Targets => [.. ScheduleExporters.Names.Except(["timesteps", "diffusers", "webui"])];

    [Theory]
    [MemberData(nameof(Targets))]
    public void What_is_written_is_read_back_to_the_printed_precision(string target)
    {
        Schedules.Sample(schedule =>
        {
            var back = ScheduleImport.Sigmas(ScheduleExporters.Export(target, schedule).Text);
            return back.Terminal == schedule.Terminal && back.Sigmas.Length == schedule.Sigmas.Length
                && back.Sigmas.Zip(schedule.Sigmas).All(p => Math.Abs(p.First / p.Second - 1) <= 0.5e-8);
        }, iter: 300);
    }

    [Fact]
    public void With_seventeen_digits_nothing_is_lost() =>
        Schedules.Sample(schedule => ScheduleImport.Sigmas(ScheduleExporters.Export(
            "sigmas", schedule, new ScheduleExportOptions { Digits = 17 }).Text).Sigmas.SequenceEqual(schedule.Sigmas), iter: 300);

    [Fact]
    public void Numbers_have_fixed_decimals_in_every_size() => Gen.Double[-30, 30].Select(Gen.Int[3, 17]).Sample((power, digits) =>
    {
        double value = Math.Exp(power);
        string text = SigmaText.Fixed(value, digits);
        return !text.Contains('E', StringComparison.OrdinalIgnoreCase) && text.Contains('.', StringComparison.Ordinal)
            && Math.Abs(double.Parse(text, CultureInfo.InvariantCulture) / value - 1) <= 0.51 * Math.Pow(10, 1 - digits);
    });

    [Theory]
    [InlineData(80, "80.0")]
    [InlineData(0.002, "0.002")]
    [InlineData(0.000012345, "0.000012345")]
    [InlineData(1234567.5, "1234567.5")]
    [InlineData(1e12, "1000000000000.0")]
    [InlineData(0, "0.0")]
    public void Numbers_are_as_short_as_they_can_be(double value, string text) => Assert.Equal(text, SigmaText.Fixed(value, 9));

    [Theory]
    [InlineData("comfyui", "80.0, 9.5, 1.25, 0.0625, 0.002")]
    [InlineData("json", "[80.0, 9.5, 1.25, 0.0625, 0.002]")]
    [InlineData("k-diffusion", "sigmas = torch.tensor([80.0, 9.5, 1.25, 0.0625, 0.002])")]
    [InlineData("diff-sampler", "--t_steps=\"[80.0, 9.5, 1.25, 0.0625, 0.002]\"")]
    [InlineData("stable-diffusion.cpp", "--sigmas \"80.0,9.5,1.25,0.0625,0.002\" --steps 4")]
    [InlineData("webui", "[80.0, 9.5, 1.25, 0.0625, 0.0]")] // lists that do not end in zero would be resampled
    public void Every_program_gets_its_own_form(string target, string text)
        => Assert.Equal(text, ScheduleExporters.Export(target, Four).Text);

    [Fact]
    public void The_end_is_kept_replaced_or_appended_to()
    {
        string End(FinalSigma final, SamplingSchedule schedule)
            => ScheduleExporters.Export("sigmas", schedule, new ScheduleExportOptions { Final = final }).Text;
        var zero = new SamplingSchedule(Four.Sigmas, ScheduleTerminal.Zero);
        Assert.EndsWith("0.0625, 0.002", End(FinalSigma.Keep, Four), StringComparison.Ordinal);
        Assert.EndsWith("0.0625, 0.0", End(FinalSigma.Zero, Four), StringComparison.Ordinal);
        Assert.EndsWith("0.0625, 0.002, 0.0", End(FinalSigma.AppendZero, Four), StringComparison.Ordinal);
        Assert.All(
            Enum.GetValues<FinalSigma>(), final => Assert.EndsWith("0.0625, 0.002, 0.0", End(final, zero), StringComparison.Ordinal));
        Assert.EndsWith("--denoise_to_zero=True", ScheduleExporters.Export("diff-sampler", zero).Text, StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(
            () => ScheduleExporters.Export("diff-sampler", Four, new ScheduleExportOptions { Final = FinalSigma.Zero }));
    }

    [Fact]
    public void Diffusers_classes_get_what_they_take()
    {
        var noise = DiscreteVpNoise.ScaledLinear();
        string Text(string scheduler, SamplingSchedule schedule, double shift = 1) => ScheduleExporters.Export(
            "diffusers", schedule, new ScheduleExportOptions
            { Scheduler = scheduler, Family = Whole(noise, scheduler), Shift = new(shift), Digits = 12 }).Text;
        double[] List(string text) => [.. text[(text.IndexOf('[', StringComparison.Ordinal) + 1)..text.IndexOf(
            ']', StringComparison.Ordinal)].Split(',').Select(n => double.Parse(n, CultureInfo.InvariantCulture))];

        // Levels of the model give their own timesteps; the last sigma is the scheduler's.
        var levels = new SamplingSchedule([noise.Sigmas[999], noise.Sigmas[600], noise.Sigmas[250], noise.Sigmas[3]]);
        Assert.Equal([999, 600, 250], List(Text("DPMSolverMultistep", levels)));
        Assert.Equal([999, 600, 250, 3], List(Text("HeunDiscreteScheduler", new SamplingSchedule(levels.Sigmas, ScheduleTerminal.Zero))));
        Assert.Equal(4, List(Text("EulerDiscrete", levels)).Length);

        // Flow times and ramps lead back to the sigmas by what the scheduler does with them.
        double shift = 3;
        var flow = List(Text("FlowMatchEulerDiscrete", Four, shift)).Select(t => shift * t / (1 + (shift - 1) * t))
            .Select(t => t / (1 - t));
        Assert.All(flow.Zip(Four.Sigmas), p => Assert.Equal(1, p.First / p.Second, 8));
        Assert.Equal(4, flow.Count());
        var (high, low) = (Math.Pow(80, 1 / 7.0), Math.Pow(0.002, 1 / 7.0));
        var ramp = List(Text("EDMEuler", Four)).Select(r => Math.Pow(high + r * (low - high), 7));
        Assert.All(ramp.Zip(Four.Sigmas), p => Assert.Equal(1, p.First / p.Second, 8));

        Assert.Contains(
            "number of steps only", Assert.Throws<InvalidInputException>(() => Text("DDIM", Four)).Message, StringComparison.Ordinal);
        Assert.Contains("not known", Assert.Throws<InvalidInputException>(() => Text("Nonsense", Four)).Message, StringComparison.Ordinal);
        var all = ScheduleExporters.Export("diffusers", Four);
        Assert.DoesNotContain("timesteps=", all.Text, StringComparison.Ordinal);
        Assert.Contains(all.Notes, n => n.Contains("name the noise", StringComparison.Ordinal));
    }

    [Fact]
    public void What_is_likely_wrong_is_said()
    {
        var noise = DiscreteVpNoise.Linear();
        var close = new SamplingSchedule([noise.Sigmas[500], noise.Sigmas[500] * 0.9999, noise.Sigmas[10]]);
        var export = ScheduleExporters.Export("timesteps", close, new ScheduleExportOptions { Family = new NoiseFamily.Timesteps(noise) });
        Assert.Equal("501, 500", export.Text); // no scheduler takes one twice
        Assert.Contains("has timestep 501 in place of 500", Assert.Single(export.Warnings), StringComparison.Ordinal);
        Assert.Contains("both timestep 500", Assert.Single(ScheduleWarnings.OfTimes(close.Sigmas[..2], [500, 500], noise)),
            StringComparison.Ordinal);
        Assert.Contains("not close", Assert.Single(ScheduleExporters.Export("timesteps", Four,
            new ScheduleExportOptions { Family = new NoiseFamily.Timesteps(noise), Final = FinalSigma.AppendZero }).Warnings),
            StringComparison.Ordinal);
        Assert.Contains("both 80.0", Assert.Single(ScheduleExporters.Export("sigmas", new SamplingSchedule([80, 79.99999, 1]),
            new ScheduleExportOptions { Digits = 4 }).Warnings), StringComparison.Ordinal);
        Assert.Empty(ScheduleWarnings.OfCount(Four, 4));
        Assert.Contains("makes 4 steps", Assert.Single(ScheduleWarnings.OfCount(Four, 5)), StringComparison.Ordinal);
        Assert.Empty(ScheduleWarnings.OfRange(Four, 0.002, 80));
        Assert.Single(ScheduleWarnings.OfRange(Four, 0.01, 157));
        Assert.Throws<InvalidInputException>(() => ScheduleExporters.Export("timesteps", Four));
        Assert.Throws<InvalidInputException>(() => ScheduleExporters.Export("webui", new SamplingSchedule([1, 0.5])));
    }

    [Theory]
    [InlineData("80, 9.5, 1.25, 0.0625, 0.002")]
    [InlineData("80 9.5\t1.25\r\n0.0625\n0.002\n")]
    [InlineData("80;9.5;1.25;6.25e-2;2e-3")]
    [InlineData("sigmas = torch.tensor([80., 9.5, 1.25, 0.0625, 0.002], dtype=torch.float32)")]
    [InlineData("new float[] { 80f, 9.5f, 1.25f, 0.0625f, 0.002f }")]
    [InlineData("--sigmas \"80,9.5,1.25,0.0625,0.002\" --steps 4")]
    [InlineData("--sigmas 80,9.5,1.25,0.0625,0.002")]
    public void Lists_are_read_as_they_are_found(string text)
    {
        Assert.Equal(Four.Sigmas, ScheduleImport.Sigmas(text).Sigmas);
        Assert.Equal(ScheduleTerminal.SigmaMin, ScheduleImport.Sigmas(text).Terminal);
    }

    [Fact]
    public void A_last_zero_is_a_last_denoise_and_timesteps_are_levels()
    {
        var schedule = ScheduleImport.Sigmas("14.6, 2.1, 0.0");
        Assert.Equal((ScheduleTerminal.Zero, 1), (schedule.Terminal, schedule.Steps));
        var noise = DiscreteVpNoise.ScaledLinear();
        var times = ScheduleImport.Timesteps("[999, 850, 736]", noise);
        Assert.Equal([noise.Sigmas[999], noise.Sigmas[850], noise.Sigmas[736]], times.Sigmas);
        Assert.Equal(ScheduleTerminal.Zero, times.Terminal);
    }

    [Theory]
    [InlineData("80, x, 0.002", "'x', word 2")]
    [InlineData("80", "2 or more numbers")]
    [InlineData("", "2 or more numbers")]
    [InlineData("80, 80, 1", "Sigmas must decrease: sigma[1]")]
    [InlineData("1, 0, 0", "above 0: sigma[1]")]
    [InlineData("[1, 0.5] [3, 2]", "2 lists")]
    [InlineData("80, nan, 1", "no finite number")]
    [InlineData("80, -1", "above 0")]
    public void What_is_no_schedule_is_refused(string text, string fragment) => Assert.Contains(
        fragment, Assert.Throws<InvalidInputException>(() => ScheduleImport.Sigmas(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData('[', '1')]
    [InlineData('{', '1')]
    [InlineData('"', '1')]
    [InlineData('a', ' ')]
    [InlineData('-', '-')]
    [InlineData('[', '[')]
    public void A_long_text_takes_no_longer_than_its_length_warrants(char first, char rest)
    {
        string text = first + new string(rest, (1 << 20) - 1);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Throws<InvalidInputException>(() => ScheduleImport.Sigmas(text));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"{watch.Elapsed}"); // milliseconds; with the square of the length, a minute
    }

    [Theory]
    [InlineData("DPMSolverMultistep")]
    [InlineData("DPMSolverSinglestep")]
    [InlineData("HeunDiscrete")]
    [InlineData("DDPM")]
    [InlineData("LCM")]
    [InlineData("TCD")]
    [InlineData("HeunDiscrete", 200)]
    [InlineData("HeunDiscrete", 999)]
    public void Timesteps_are_distinct_after_rounding(string scheduler, int steps = 20)
    {
        var noise = DiscreteVpNoise.Cosine();
        var schedule = StandardSchedule.Karras().Create(steps, noise.Sigmas[0], noise.Sigmas[^1]);
        var options = new ScheduleExportOptions { Scheduler = scheduler, Family = new NoiseFamily.Timesteps(noise) };
        var export = ScheduleExporters.Export("diffusers", schedule, options);
        var times = ScheduleImport.Parse(export.Text).Numbers;
        Assert.Equal(steps, times.Count);
        Assert.All(times.Zip(times.Skip(1)), pair => Assert.True(pair.First > pair.Second));
        Assert.InRange(times[0], times[^1], 999);
        Assert.InRange(times[^1], 0, 999);
        Assert.Contains(export.Warnings, w => w.Contains("same nearest timestep", StringComparison.Ordinal));
        Assert.Contains("more than the 1000 timesteps", Assert.Throws<InvalidInputException>(() => ScheduleExporters.Export("timesteps",
            StandardSchedule.Karras().Create(1001, 0.01, 80), options)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Distinct_timesteps_stay_as_they_are()
    {
        var noise = DiscreteVpNoise.ScaledLinear();
        Gen.Int[0, 999].Array[2, 20].Select(times => times.Distinct().OrderDescending().ToArray()).Where(times => times.Length > 1)
            .Sample(times => noise.DistinctTimes([.. times.Select(t => noise.Sigmas[t])]).SequenceEqual(times), iter: 300);
        Assert.Equal([999, 998, 997], noise.DistinctTimes([14.6145, 14.6144, 14.6143]));
        Assert.Equal([2, 1, 0], noise.DistinctTimes([0.0293, 0.02925, 0.0292]));
    }

    [Theory]
    [InlineData("comfyui", "0.999, 0.89896, 0.749001, 0.499335, 0.001")]
    [InlineData("stable-diffusion.cpp", "--sigmas \"0.999,0.89896,0.749001,0.499335,0.001\" --steps 4")]
    [InlineData("webui", "[0.999, 0.89896, 0.749001, 0.499335, 0.0]")]
    [InlineData("stable-diffusion.net",
        "sampleParameter.SampleSteps = 4;\nsampleParameter.CustomSigmas = [0.999f, 0.89896f, 0.749001f, 0.499335f, 0.001f];")]
    [InlineData("sigmas", "999.0, 8.89711, 2.98408, 0.997344, 0.001001")]
    public void Programs_that_count_in_flow_times_get_those_of_a_rectified_flow(string target, string text)
    {
        var schedule = StandardSchedule.RectifiedFlow(3).Create(4, FlowTime.UsualSigmaMin, FlowTime.UsualSigmaMax);
        var options = new ScheduleExportOptions { Family = new NoiseFamily.FlowTimes(new()), Digits = 6 };
        var export = ScheduleExporters.Export(target, schedule, options);
        Assert.Equal(text, export.Text);
        Assert.Contains(export.Notes, n => n.Contains(
            target == "sigmas" ? "not the flow times" : "are flow times", StringComparison.Ordinal));
        Assert.Throws<InvalidInputException>(() => ScheduleExporters.Export("timesteps", schedule, options));
        Assert.Throws<InvalidInputException>(() => ScheduleExporters.Export(
            "webui", new SamplingSchedule([5000000, 1, 0.1]), options)); // would be 1.0
    }

    [Fact]
    public void Of_diffusers_classes_a_rectified_flow_is_for_flow_matching_alone()
    {
        var options = new ScheduleExportOptions { Family = new NoiseFamily.FlowTimes(new()) };
        var all = ScheduleExporters.Export("diffusers", Four, options);
        Assert.StartsWith("# FlowMatchEulerDiscreteScheduler: flow times", all.Text, StringComparison.Ordinal);
        Assert.Single(all.Text.Split("images = "), part => part.StartsWith("pipe", StringComparison.Ordinal));
        Assert.Contains("does not sample a rectified flow", Assert.Throws<InvalidInputException>(() => ScheduleExporters.Export(
            "diffusers", Four, options with { Scheduler = "EulerDiscrete" })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("FlowMatchEulerDiscrete", "FlowMatchEulerDiscreteScheduler takes this from diffusers 0.32 on.")]
    [InlineData("EDMEuler", "EDMEulerScheduler takes this from diffusers 0.33 on.")]
    public void The_release_that_takes_a_list_is_said(string scheduler, string note) => Assert.Contains(
        note, ScheduleExporters.Export("diffusers", Four, new ScheduleExportOptions { Scheduler = scheduler }).Notes);

    [Theory]
    [InlineData("FlowMatchEulerDiscrete", 1, ListedNumbers.FlowTimes)]
    [InlineData("FlowMatchEulerDiscrete", 3.1, ListedNumbers.FlowTimes)]
    [InlineData("EDMEuler", 1, ListedNumbers.RampPlaces)]
    [InlineData("DPMSolverMultistep", 1, ListedNumbers.Timesteps)]
    internal void What_is_written_for_diffusers_is_known_again(string scheduler, double shift, ListedNumbers kind)
    {
        var noise = DiscreteVpNoise.ScaledLinear();
        var schedule = new SamplingSchedule([noise.Sigmas[999], noise.Sigmas[787], noise.Sigmas[430], noise.Sigmas[60], noise.Sigmas[0]]);
        var text = ScheduleExporters.Export(
            "diffusers", schedule, new ScheduleExportOptions
            { Scheduler = scheduler, Family = Whole(noise, scheduler), Shift = new(shift), Digits = 12 }).Text;
        var listed = ScheduleImport.Parse(text);
        Assert.Equal(kind, listed.Kind);
        var back = kind switch
        {
            ListedNumbers.FlowTimes => listed.FlowTimes(null, null),
            ListedNumbers.RampPlaces => listed.RampPlaces(),
            _ => listed.Timesteps(noise),
        };
        Assert.Equal(ScheduleTerminal.Zero, back.Terminal); // where each of these schedulers goes after the last number
        Assert.Equal(4, back.Sigmas.Length);
        Assert.All(back.Sigmas.Zip(schedule.Sigmas), pair => Assert.Equal(1, pair.First / pair.Second, 8));
    }

    [Fact]
    public void Flow_times_are_sigmas()
    {
        var listed = ScheduleImport.Parse("1.0, 0.9375, 0.875, 0.4375, 0.0");
        Assert.True(listed.MayBeFlowTimes);
        var schedule = listed.FlowTimes(999, null);
        Assert.Equal([999, 15, 7, 0.4375 / 0.5625], schedule.Sigmas);
        Assert.Equal(ScheduleTerminal.Zero, schedule.Terminal);
        Assert.Contains("infinite sigma", Assert.Throws<InvalidInputException>(() => listed.FlowTimes(null, null)).Message,
            StringComparison.Ordinal);
        Assert.Contains("Flow time 0 is 14.6", Assert.Throws<InvalidInputException>(
            () => ScheduleImport.Parse("14.6, 0.5").FlowTimes(999, null)).Message, StringComparison.Ordinal);
        Assert.Equal(ScheduleTerminal.SigmaMin, ScheduleImport.Parse("0.9, 0.5").FlowTimes(999, 3).Terminal);
        Assert.Equal(27, ScheduleImport.Parse("0.9, 0.5").FlowTimes(999, 3).Sigmas[0], 9); // shift t / (1 - t)
    }

    [Fact]
    public void Words_that_come_again_and_again_take_no_longer_than_their_length_warrants()
    {
        string text = string.Concat(Enumerable.Repeat("flow times t = ", 60_000));
        var watch = System.Diagnostics.Stopwatch.StartNew();
        Assert.Throws<InvalidInputException>(() => ScheduleImport.Parse($"80, 1 {text}"));
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(10), $"{watch.Elapsed}");
    }

    [Theory]
    [InlineData("9,5; 4,3; 2,1; 0", "9.5")]
    [InlineData("80; 9,5; 0", "9.5")]
    [InlineData("9,5 4,3 2,1", "9.5")]
    [InlineData("[9,5, 4,3, 0]", "9.5")]
    [InlineData("\"14,6;2,1\"", "14.6")]
    [InlineData("1.234,5; 2", "1234.5")]
    public void Decimal_commas_in_a_list_are_refused(string text, string plain) => Assert.Contains(
        $"decimal comma: write numbers with a point, {plain}",
        Assert.Throws<InvalidInputException>(() => ScheduleImport.Parse(text)).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData("9,5,4,3", 4)]
    [InlineData("80.0,9.5,\n1.25,0.0625", 4)]
    [InlineData("999,787,430,\n60", 4)]
    [InlineData("[9, 5, 4, 3]", 4)]
    [InlineData("9,\n5,\n4", 3)]
    public void Commas_between_numbers_are_none(string text, int count) => Assert.Equal(count, ScheduleImport.Parse(text).Numbers.Count);
}
