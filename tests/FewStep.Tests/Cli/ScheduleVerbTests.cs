using FewStep.Denoising;

namespace FewStep.Tests.Cli;

public sealed class ScheduleVerbTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public async Task Every_optimiser_writes_its_schedules()
    {
        string folder = world.At("found");
        var result = await CommandLineRun.Json(
            "schedule", "--model", world.Model, "--data", world.Data, "--steps", "1,2", "--optimizer",
            "phase1:0.5,gits:1.2,optimal-steps:8,ays,endpoint", "--solver", "heun", "--search-images", "2", "--curve-images", "8",
            "--curve-points", "8", "--out", folder);
        var schedules = result.GetProperty("schedules").EnumerateArray().ToArray();
        Assert.Equal(
            ["phase1:0.5", "phase1:0.5", "gits:1.2", "gits:1.2", "optimal-steps:8", "optimal-steps:8", "ays", "ays", "endpoint",
                "endpoint"],
            schedules.Select(s => s.GetProperty("optimizer").GetString()));
        foreach (var schedule in schedules)
        {
            var sampler = Sampler.Read(schedule.GetProperty("file").GetString()!);
            var origin = sampler.Origin;
            Assert.Equal(schedule.GetProperty("sigmas").EnumerateArray().Select(s => s.GetDouble()), sampler.Schedule.Sigmas);
            Assert.Equal((schedule.GetProperty("optimizer").GetString(), "heun"), (origin.Schedule, sampler.Solver.Name));
            Assert.Equal(schedule.GetProperty("network_evaluations").GetInt64(), origin.Evaluations);
            Assert.True(origin.Evaluations > 0 && origin.Objective is not null && origin.Loss is not null && origin.ModelHash is not null);
        }

        Assert.True(File.Exists(Path.Combine(folder, "endpoint-heun-n2.sampler.json")));
        Assert.True(File.Exists(Path.Combine(folder, "gits-1.2-n2.sampler.json")));
    }

    [Fact]
    public async Task What_needs_no_images_opens_none()
    {
        var result = await CommandLineRun.Of("schedule", "--model", world.Model, "--data", world.At("nothing"), "--steps", "2",
            "--optimizer", "gits", "--search-images", "2", "--out", world.At("gits"));
        Assert.True(result.Code == 0, result.Messages);
        Assert.Contains("gits", result.Output, StringComparison.Ordinal);
        Assert.False(File.Exists(world.At("gits", "loss-curve.json")));
    }

    [Fact]
    public async Task A_mixture_is_a_model_for_searches_without_images()
    {
        string mixture = world.At("mixture.json"), folder = world.At("of-a-mixture");
        TestMixtures.Write(mixture,
            new GaussianMixture(new ImageShape(1, 2, 2), [0.5, 0.5], [[0.4, 0.4, 0.4, 0.4], [-0.4, -0.4, -0.4, -0.4]], [0.2, 0.3]));
        var result = await CommandLineRun.Json("schedule", "--model", mixture, "--steps", "3", "--optimizer", "gits,endpoint", "--solver",
            "ipndm:2", "--search-images", "4", "--out", folder);
        Assert.Equal(2, result.GetProperty("schedules").GetArrayLength());
        await CommandLineRun.Json("sample", "--model", mixture, "--schedule", Path.Combine(folder, "endpoint-ipndm-2-n3.sampler.json"),
            "--solver", "ipndm:2", "--seeds", "0-3", "--output", world.At("of-a-mixture.npz"));
    }

    [Fact]
    public async Task The_optimisers_are_listed()
    {
        var listed = await CommandLineRun.Json("schedule", "--list-optimizers");
        string[] names = [.. listed.GetProperty("optimizers").EnumerateArray().Select(o => o.GetProperty("name").GetString()!)];
        Assert.Contains("gits", names);
        var text = await CommandLineRun.Of("schedule", "--list-optimizers");
        Assert.All(names, name => Assert.Contains(name, text.Output, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("There is no schedule optimiser 'magic'", "--optimizer", "gits,magic")]
    [InlineData("must be the coefficient", "--optimizer", "gits:many")]
    [InlineData("at least 2 images", "--optimizer", "gits", "--search-images", "1")]
    [InlineData("There is no solver 'magic'", "--optimizer", "endpoint", "--solver", "magic")]
    [InlineData("between -4 and 4", "--power", "9")]
    public async Task One_line_says_it_and_nothing_is_written(string fragment, params string[] arguments)
    {
        string folder = world.At(Guid.NewGuid().ToString("N"));
        await CommandLineRun.Refused(
            fragment, ["schedule", "--model", world.Model, "--data", world.Data, "--steps", "2", .. arguments, "--out", folder]);
        Assert.False(Directory.Exists(folder));
    }
}
