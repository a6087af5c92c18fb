using FewStep.Checkpoints;
using FewStep.Noise;

namespace FewStep.Tests.Cli;

public sealed class InterchangeVerbTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public async Task A_schedule_goes_out_and_comes_back()
    {
        string file = world.At("out.schedule.json"), list = world.At("list.txt"), back = world.At("back.sampler.json");
        await File.WriteAllTextAsync(
            file, """{"version":1,"steps":3,"sigmas":[80,3.5,0.25,0.002]}""", TestContext.Current.CancellationToken);
        var printed = await CommandLineRun.Of("export", "--schedule", file, "--to", "comfyui");
        Assert.Equal((0, "80.0, 3.5, 0.25, 0.002"), (printed.Code, printed.Output.TrimEnd()));
        Assert.Contains("fixed", printed.Messages, StringComparison.Ordinal);
        Assert.Equal(
            0, (await CommandLineRun.Of("export", "--schedule", file, "--to", "k-diffusion", "--output", list, "--final", "append")).Code);
        var read = await CommandLineRun.Json("import", "--from", list, "--output", back, "--steps", "3", "--solver", "heun");
        Assert.Equal(0, read.GetProperty("warnings").GetArrayLength());
        var record = Sampler.Read(back);
        Assert.Equal([80, 3.5, 0.25, 0.002], record.Schedule.Sigmas);
        Assert.Equal((ScheduleTerminal.Zero, "heun"), (record.Schedule.Terminal, record.Solver.Name));
    }

    [Fact]
    public async Task Warnings_stand_beside_the_output()
    {
        string back = world.At("warned.sampler.json");
        var read = await CommandLineRun.Json("import", "--from", "200, 3, 0.5", "--output", back, "--steps", "3", "--model", world.Model);
        string[] warnings = [.. read.GetProperty("warnings").EnumerateArray().Select(w => w.GetString()!)];
        Assert.Equal(3, warnings.Length);
        Assert.Contains("perhaps", warnings[0], StringComparison.Ordinal);
        Assert.Contains("made for 0.002 to 80", warnings[1], StringComparison.Ordinal);
        Assert.Contains("keep noise", warnings[2], StringComparison.Ordinal);
        var exported = await CommandLineRun.Json("export", "--schedule", back, "--to", "timesteps", "--noise", "vp-linear", "--steps", "4");
        Assert.Equal(2, exported.GetProperty("warnings").GetArrayLength());
    }

    [Fact]
    public async Task Weights_are_written_in_the_names_of_edm()
    {
        string file = world.At("weights.safetensors");
        await CommandLineRun.Json("export", "--weights", file, "--model", world.Model);
        var (written, _) = SafetensorsFile.Read(file);
        var (own, _) = SafetensorsFile.Read(Path.Combine(world.Model, ModelFolder.WeightsName));
        Assert.Equal(own.Keys.Select(k => "model." + k).Order(), written.Keys.Order());
        Assert.All(own, t => Assert.True(t.Value.Equals(written["model." + t.Key])));
        foreach (var tensor in own.Values.Concat(written.Values))
            tensor.Dispose();
    }

    [Theory]
    [InlineData("legacy")]
    [InlineData("new")]
    public async Task Weights_come_back_from_the_names_of_guided_diffusion_to_the_last_bit(string order)
    {
        string pickle = Path.Combine(AppContext.BaseDirectory, "golden", "checkpoints", "edm-adm-cond.pkl");
        string first = world.At($"first-{order}"), second = world.At($"second-{order}"), file = world.At($"guided-{order}.safetensors");
        await CommandLineRun.Json("convert", pickle, "--out", first);
        var exported = await CommandLineRun.Of(
            "export", "--weights", file, "--names", "guided-diffusion", "--attention-order", order, "--model", first);
        Assert.Equal(0, exported.Code);
        // the golden network has fewer channels than guided-diffusion's can have
        Assert.Contains("normalises in 32 groups", exported.Messages, StringComparison.Ordinal);
        await CommandLineRun.Json("convert", file, "--out", second);
        var (original, _) = SafetensorsFile.Read(Path.Combine(first, ModelFolder.WeightsName));
        var (returned, _) = SafetensorsFile.Read(Path.Combine(second, ModelFolder.WeightsName));
        // never used, and without a name there
        Assert.Equal(original.Keys.Where(name => name != "map_augment.weight").Order(), returned.Keys.Order());
        Assert.All(returned, pair => Assert.Equal(original[pair.Key].data<float>().ToArray(), pair.Value.data<float>().ToArray()));
        foreach (var tensor in original.Values.Concat(returned.Values))
            tensor.Dispose();
    }

    [Theory]
    [InlineData("There is no export 'paint'", "export", "--schedule", "karras", "--steps", "4", "--to", "paint")]
    [InlineData("--to sigmas", "export", "--schedule", "karras", "--steps", "4")]
    [InlineData("add e.g. --steps 4", "export", "--schedule", "karras", "--to", "sigmas")]
    [InlineData("Say what to export", "export", "--to", "sigmas")]
    [InlineData("is a folder, not a file", "export", "--schedule", "@model", "--to", "sigmas")]
    [InlineData("need the noise", "export", "--schedule", "karras", "--steps", "4", "--to", "timesteps")]
    [InlineData("--noise 'pink'", "export", "--schedule", "karras", "--steps", "4", "--to", "timesteps", "--noise", "pink")]
    [InlineData("belong to --noise", "export", "--schedule", "karras", "--steps", "4", "--to", "sigmas", "--beta-start", "0.1")]
    [InlineData("2 digits are not", "export", "--schedule", "karras", "--steps", "4", "--to", "sigmas", "--digits", "2")]
    [InlineData("--final 'cut'", "export", "--schedule", "karras", "--steps", "4", "--to", "sigmas", "--final", "cut")]
    [InlineData("--scheduler does nothing without --to diffusers", "export", "--schedule", "karras", "--steps", "4", "--to", "sigmas",
        "--scheduler", "DDPM")]
    [InlineData(
        "--shift does nothing without --to diffusers", "export", "--schedule", "karras", "--steps", "4", "--to", "sigmas", "--shift", "3")]
    [InlineData(
        "--names does nothing without --weights", "export", "--schedule", "karras", "--steps", "4", "--to", "sigmas", "--names", "edm")]
    [InlineData("--to does nothing without --schedule", "export", "--weights", "@w.safetensors", "--model", "@model", "--to", "diffusers")]
    [InlineData("--digits does nothing without --schedule", "export", "--weights", "@w.safetensors", "--model", "@model", "--digits", "4")]
    [InlineData("part of --model", "export", "--weights", "@model/model.safetensors", "--model", "@model")]
    [InlineData("part of --model", "export", "--weights", "@model/w.safetensors", "--model", "@model/")]
    [InlineData("DDIMScheduler of diffusers takes a number of steps only", "export", "--schedule", "karras", "--steps", "4", "--to",
        "diffusers", "--scheduler", "DDIM")]
    [InlineData("no ADM network", "export", "--weights", "@w.safetensors", "--names", "guided-diffusion", "--model", "@model")]
    [InlineData("--attention-order belongs", "export", "--weights", "@w.safetensors", "--attention-order", "new", "--model", "@model")]
    [InlineData("--attention-order 'odd' is none of", "export", "--weights", "@w.safetensors", "--names", "guided-diffusion",
        "--attention-order", "odd", "--model", "@model")]
    [InlineData("--names 'caffe'", "export", "--weights", "@w.safetensors", "--names", "caffe")]
    [InlineData("--weights needs --model", "export", "--weights", "@w.safetensors")]
    [InlineData("one at a time", "export", "--weights", "@w.safetensors", "--schedule", "karras")]
    [InlineData("is no finite number", "import", "--from", "1, two", "--output", "@x.schedule.json")]
    [InlineData("--timesteps needs the noise", "import", "--from", "999, 500", "--timesteps", "--output", "@x.schedule.json")]
    [InlineData("those of vp-linear are 0 to 999", "import", "--from", "1000, 500", "--timesteps", "--noise", "vp-linear", "--output",
        "@x.schedule.json")]
    [InlineData("--steps 0", "import", "--from", "2, 1", "--steps", "0", "--output", "@x.schedule.json")]
    [InlineData("Sigmas must decrease", "import", "--from", "1, 2", "--output", "@x.schedule.json")]
    public async Task One_line_says_what_is_wrong(string fragment, params string[] arguments)
    {
        await CommandLineRun.Refused(fragment, [.. arguments.Select(a => a.StartsWith('@') ? world.At(a[1..]) : a)]);
        Assert.False(File.Exists(world.At("x.schedule.json")) || File.Exists(world.At("w.safetensors")));
    }
}
