using System.Security.Cryptography;
using FewStep.Noise;
using FewStep.Solvers;

namespace FewStep.Tests.Cli;

public sealed class OutputPlacesTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Theory]
    [InlineData("data", "subset", "--data", "@data", "--count", "3", "--out", "@data")]
    [InlineData("data", "subset", "--data", "@data/train-images-idx3-ubyte.gz", "--count", "3", "--out", "@data")]
    [InlineData("data", "prepare", "--source", "@set.zip", "--output", "@set.zip")]
    [InlineData("sample", "--model", "@model", "--output", "@model/model.safetensors")]
    [InlineData("sample", "--model", "@model", "--output", "@linked/model.safetensors")]
    [InlineData("sample", "--model", "@model", "--out", "@model")]
    [InlineData("export", "--schedule", "@model/sampler.json", "--to", "sigmas", "--output", "@model/sampler.json")]
    [InlineData("tune", "--model", "@model", "--sampler", "karras/euler/1", "--out", "@model")]
    [InlineData("tune", "--model", "@model", "--sampler", "karras/euler/1", "--out", "@linked")]
    [InlineData("train", "--model", "@model", "--data", "@data", "--images", "8", "--out", "@")]
    [InlineData("evaluate", "--model", "a=@model", "--data", "@data", "--out", "@model")]
    [InlineData("evaluate", "--schedules", "karras,@model/best.sampler.json", "--data", "@data", "--out", "@model")]
    [InlineData("fit", "--model", "@tuned", "--schedule", "@model/n4.sampler.json", "--out", "@model")]
    [InlineData("convert", "@model", "--out", "@model")]
    [InlineData("sample", "--model", "@model", "--grid", "@data/grid.png", "--data", "@data")]
    public async Task What_is_read_is_not_written(params string[] arguments)
    {
        string linked = world.At("linked");
        if (!Directory.Exists(linked))
        {
            Directory.CreateSymbolicLink(linked, world.Model);
            foreach (string name in new[] { "sampler.json", "best.sampler.json", "n4.sampler.json" })
                new Sampler(new SamplingSchedule([80, 2, 0.002]), new EulerSolver()).Save(Path.Combine(world.Model, name));
            world.Write("set.zip", "a set");
        }

        var before = Content();
        await CommandLineRun.Refused(
            "would replace what", [.. arguments.Select(a => a.Replace("@", $"{world.At("")}/", StringComparison.Ordinal))]);
        Assert.Equal(before, Content());
    }

    [Fact]
    public async Task Pictures_may_lie_beside_a_model_and_be_made_again()
    {
        string grid = Path.Combine(world.Tuned, "samples.png");
        string[] arguments = ["sample", "--model", world.Tuned, "--sampler", "karras/euler/1", "--seeds", "0-3", "--grid", grid];
        for (int i = 0; i < 2; i++)
            Assert.Equal(0, (await CommandLineRun.Of(arguments)).Code);
    }

    [Fact]
    public async Task A_model_of_something_else_is_not_trained_over()
    {
        string folder = world.At("taken");
        TinyWorld.WriteModel(Path.Combine(folder, "model"), 5);
        await CommandLineRun.Refused("not of this training", "train", "--config", Path.Combine(world.Model, "config.json"), "--data",
            world.Data, "--images", "8", "--out", folder);
        await CommandLineRun.Refused("not of this tuning", "tune", "--model", world.Model, "--sampler", "karras/euler/1", "--updates", "1",
            "--out", Path.Combine(folder, "model"));
    }

    [Fact]
    public async Task Two_in_one_folder_are_refused_and_the_first_is_not_disturbed()
    {
        string folder = world.At("both");
        string[] arguments = ["sample", "--model", world.Model, "--sampler", "karras/euler/1", "--seeds", "0-3", "--out", folder];
        using (FolderLock.Take(folder))
            await CommandLineRun.Refused($"in use by process {Environment.ProcessId}", arguments);
        Assert.Equal(0, (await CommandLineRun.Of(arguments)).Code);
        Assert.DoesNotContain(Directory.GetFiles(folder), f => Path.GetFileName(f).StartsWith('.'));
    }

    private Dictionary<string, string> Content() => Directory.GetFiles(world.At(""), "*", SearchOption.AllDirectories)
        .ToDictionary(f => f, f => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(f))));
}
