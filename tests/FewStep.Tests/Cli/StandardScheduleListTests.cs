using FewStep.Solvers;
using FewStep.Cli.Verbs;
using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;

namespace FewStep.Tests.Cli;

public sealed class StandardScheduleListTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public async Task The_list_names_every_schedule_with_its_source()
    {
        var json = await CommandLineRun.Json("schedule", "--list-schedules");
        Assert.Equal(
            StandardSchedules.Names, json.GetProperty("schedules").EnumerateArray().Select(e => e.GetProperty("name").GetString()!));
        Assert.All(json.GetProperty("schedules").EnumerateArray(), e => Assert.NotEqual("", e.GetProperty("source").GetString()));
        var run = await CommandLineRun.Of("schedule", "--list-schedules");
        Assert.Equal(0, run.Code);
        Assert.All(StandardSchedules.Names, name => Assert.Contains(name, run.Output, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_schedule_that_is_given_is_used_exactly_as_given()
    {
        // Inside the model's range, neither at its ends nor at anything a formula would give, with all digits of a double.
        double[] sigmas = [61.234567890123456, Math.PI, 1.0 / 3, 0.0123456789012345678];
        string list = world.Write(
            "given.json", $"[{string.Join(", ", sigmas.Select(s => s.ToString("R", System.Globalization.CultureInfo.InvariantCulture)))}]");
        var euler = SolverCatalog.Find("euler");
        string file = world.At("given.sampler.json");
        new Sampler(new SamplingSchedule(sigmas, ScheduleTerminal.Zero), euler).Save(file);
        using var denoiser = GaussianMixtureDenoiser.Gaussian(new ImageShape(1, 2, 2), 0, 1);
        var range = ScheduleRange.Of(denoiser);
        Assert.Equal(sigmas, SamplerFlags.Read(list, null, null).MakeFor(denoiser, range, euler)!.Schedule.Sigmas);
        Assert.Equal(sigmas, SamplerFlags.Read(list, null, 3).MakeFor(denoiser, range, euler)!.Schedule.Sigmas);
        var opened = SamplerFlags.Read(file, null, null).MakeFor(denoiser, range, euler)!.Schedule;
        Assert.Equal(sigmas, opened.Sigmas);
        Assert.Equal(ScheduleTerminal.Zero, opened.Terminal);
        var printed = await CommandLineRun.Json(
            "sample", "--model", world.Model, "--seeds", "0", "--schedule", list, "--out", world.At("given"));
        Assert.Equal(sigmas, printed.GetProperty("sigmas").EnumerateArray().Select(s => s.GetDouble()));
        printed = await CommandLineRun.Json(
            "sample", "--model", world.Model, "--seeds", "0", "--schedule", file, "--out", world.At("given-file"));
        Assert.Equal(sigmas, printed.GetProperty("sigmas").EnumerateArray().Select(s => s.GetDouble()));
        Assert.Equal(4, printed.GetProperty("evaluations_per_image").GetInt32());
    }
}
