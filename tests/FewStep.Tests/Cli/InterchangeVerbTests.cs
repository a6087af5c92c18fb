using FewStep.Checkpoints;
using FewStep.Noise;
using FewStep.Tests.Onnx;

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
        Assert.Equal(3, exported.GetProperty("warnings").GetArrayLength());
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
    [InlineData("ays-sd15", "14.615, 6.475, 3.861, 2.697, 1.886, 1.396, 0.963, 0.652, 0.399, 0.152, 0.029")]
    [InlineData("ays-svd", "700.0, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002")]
    [InlineData("karras", "80.0, ")]
    [InlineData("ays-sd15", "14.6146", "--noise", "vp-scaled-linear")]
    [InlineData("karras", "14.6146", "--noise", "vp-scaled-linear")]
    [InlineData("karras", "80.0, ", "--noise", "vp-cosine")] // its own ceiling is above 20,000
    [InlineData("flow:3", "999.0, ", "--noise", "rectified-flow")]
    [InlineData("ays-sd15", "20.0, ", "--sigma-max", "20")]
    [InlineData("karras", "20.0, ", "--noise", "vp-cosine", "--sigma-max", "20")]
    public async Task A_schedule_runs_over_what_is_known_of_the_model_else_over_its_published_range(
        string schedule, string first, params string[] arguments)
    {
        var run = await CommandLineRun.Of(["export", "--schedule", schedule, "--steps", "10", "--to", "sigmas", .. arguments]);
        Assert.Equal(0, run.Code);
        Assert.StartsWith(first, run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rectified_flow_goes_out_in_its_times_and_comes_back()
    {
        string model = GaussianOnnx.Flow().Write(world.At("flow.onnx")), list = world.At("flow.txt"), back = world.At("flow.sampler.json");
        await File.WriteAllTextAsync(model + ".json", """{"prediction":"flow"}""", TestContext.Current.CancellationToken);
        string[] export = ["export", "--schedule", "flow:3", "--steps", "4", "--digits", "5"];
        const string Times = "0.999, 0.89896, 0.749, 0.49934, 0.001";
        Assert.Equal(Times, (await CommandLineRun.Of([.. export, "--to", "comfyui", "--model", model])).Output.TrimEnd());
        Assert.Equal(
            Times, (await CommandLineRun.Of([.. export, "--to", "comfyui", "--noise", "rectified-flow"])).Output.TrimEnd());
        await CommandLineRun.Refused("is not that of --model", [.. export, "--to", "comfyui", "--model", model, "--noise", "vp-linear"]);
        await CommandLineRun.Refused("no whole timesteps", [.. export, "--to", "timesteps", "--model", model]);

        string sigmas = world.Write("sigmas-out.json", "[14.6146, 7.09499928, 3.16920415, 1.27451571, 0.44714462, 0.130406182, 0.0292]");
        await CommandLineRun.Of(
            "export", "--schedule", sigmas, "--to", "diffusers", "--scheduler", "FlowMatchEulerDiscrete", "--output", list, "--shift", "3");
        await CommandLineRun.Json("import", "--from", list, "--output", back);
        var read = Sampler.Read(back).Schedule;
        Assert.Equal(ScheduleTerminal.Zero, read.Terminal);
        double[] evaluated = [14.6146, 7.09499928, 3.16920415, 1.27451571, 0.44714462, 0.130406182];
        Assert.All(read.Sigmas.Zip(evaluated), pair => Assert.Equal(1, pair.First / pair.Second, 6));

        const string Flow = "1.0, 0.9375, 0.875, 0.4375, 0.0";
        string[][] tellings = [["--model", model], ["--noise", "rectified-flow"], ["--flow-times", "--sigma-max", "999"]];
        foreach (string[] told in tellings)
        {
            var json = await CommandLineRun.Json(["import", "--from", Flow, "--output", back, .. told]);
            Assert.All(Sampler.Read(back).Schedule.Sigmas.Zip([999, 15, 7, 0.77778]), pair => Assert.Equal(pair.Second, pair.First, 4));
            Assert.Contains("999, is taken", json.GetProperty("warnings")[0].GetString(), StringComparison.Ordinal);
        }

        await CommandLineRun.Refused("Say --flow-times", "import", "--from", Flow, "--output", world.At("x.sampler.json"));
        await CommandLineRun.Refused("infinite sigma", "import", "--from", Flow, "--flow-times", "--output", world.At("x.sampler.json"));
        await CommandLineRun.Json("import", "--from", Flow, "--flow-times", "false", "--output", back);
        Assert.Equal([1, 0.9375, 0.875, 0.4375], Sampler.Read(back).Schedule.Sigmas);
        await CommandLineRun.Json("import", "--from", Flow, "--model", world.Model, "--output", back); // EDM's: sigmas
        Assert.Equal([1, 0.9375, 0.875, 0.4375], Sampler.Read(back).Schedule.Sigmas);
        await CommandLineRun.Refused("exclude each other", "import", "--from", Flow, "--flow-times", "--timesteps", "--output", back);
        await CommandLineRun.Refused(
            "--shift does nothing without flow times", "import", "--from", "80, 1", "--shift", "3", "--output", back);
    }

    [Fact]
    public async Task Its_own_timesteps_and_flow_times_are_known_again()
    {
        string flow = world.Write("own-flow.txt", """
            # FlowMatchEulerDiscreteScheduler: flow times t = sigma / (1 + sigma) before its shift; it appends the last zero itself
            images = pipe(prompt, sigmas=[0.935897436, 0.827842656, 0.562114854, 0.201103945]).images
            """);
        string times = world.Write("own-timesteps.txt", """
            # DPMSolverMultistepScheduler: nearest timesteps; they append the last sigma, zero, themselves
            images = pipe(prompt, timesteps=[999, 787, 430, 60]).images
            """);
        string back = world.At("own.sampler.json"), other = world.At("own-times.sampler.json");
        await CommandLineRun.Json("import", "--from", flow, "--output", back);
        await CommandLineRun.Json("import", "--from", times, "--noise", "vp-scaled-linear", "--output", other);
        var (one, two) = (Sampler.Read(back).Schedule, Sampler.Read(other).Schedule);
        Assert.Equal((ScheduleTerminal.Zero, ScheduleTerminal.Zero), (one.Terminal, two.Terminal));
        Assert.Equal(14.6, one.Sigmas[0], 3);
        Assert.All(one.Sigmas.Zip(two.Sigmas), pair => Assert.Equal(1, pair.First / pair.Second, 2));
        await CommandLineRun.Refused("The list holds timesteps, which need the noise", "import", "--from", times, "--output", back);
        await CommandLineRun.Refused("Say --timesteps", "import", "--from", "999, 787, 430, 60", "--output", back);
        await CommandLineRun.Json("import", "--from", "999, 787, 430, 60", "--timesteps", "false", "--output", back);
        Assert.Equal([999, 787, 430, 60], Sampler.Read(back).Schedule.Sigmas);
    }

    [Fact]
    public async Task A_model_of_timesteps_gets_lists_in_its_own_range_and_unit()
    {
        string model = GoldenPipelines.At("sd15-tiny-onnx"), list = world.At("sd.txt"), back = world.At("sd.sampler.json");
        string[] export = ["export", "--model", model, "--schedule", "sd-trailing", "--steps", "4"];
        var comfy = await CommandLineRun.Of([.. export, "--to", "comfyui", "--digits", "6"]);
        Assert.Equal("14.6146, 4.08173, 1.61289, 0.693205, 0.0291672", comfy.Output.TrimEnd());
        var times = await CommandLineRun.Of([.. export, "--to", "timesteps", "--output", list]);
        Assert.Equal("999, 749, 499, 249", (await File.ReadAllTextAsync(list, TestContext.Current.CancellationToken)).TrimEnd());
        await CommandLineRun.Json("import", "--model", model, "--from", list, "--output", back);
        Assert.Equal([14.615, 4.082, 1.613, 0.693], Sampler.Read(back).Schedule.Sigmas.Select(s => Math.Round(s, 3)));
        await CommandLineRun.Refused("may be timesteps or sigmas", "import", "--model", model, "--from", "12, 8, 4", "--output", back);
        await CommandLineRun.Refused("is not that of --model", [.. export, "--to", "timesteps", "--noise", "vp-linear"]);

        string edm = world.Write("edm.json", "[80, 9.5, 1.25, 0.002]");
        await CommandLineRun.Refused("the model was made for 0.0291672 to 14.6146; use a schedule within that range. To write it as it is",
            "export", "--model", model, "--schedule", edm, "--to", "comfyui");
        var asIs = await CommandLineRun.Of("export", "--noise", "vp-scaled-linear", "--schedule", edm, "--to", "comfyui");
        Assert.StartsWith("80.0, ", asIs.Output, StringComparison.Ordinal);
        Assert.Contains("Warning: The schedule runs from sigma 80", asIs.Messages, StringComparison.Ordinal);
        await CommandLineRun.Refused("There are no timesteps", "export", "--model", world.Model, "--schedule", edm, "--to", "timesteps");
        var asked = await CommandLineRun.Of(
            "export", "--model", world.Model, "--schedule", edm, "--to", "timesteps", "--noise", "vp-linear");
        Assert.Contains("as --noise says", asked.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_shift_of_a_rectified_flow_is_that_of_its_scheduler()
    {
        Directory.CreateDirectory(world.At("shifted", "scheduler"));
        string model = GaussianOnnx.Flow().Write(world.At("shifted", "flow.onnx")), list = world.At("shifted.txt");
        string back = world.At("shifted.sampler.json");
        world.Write("shifted/flow.onnx.json", """{"prediction":"flow"}""");
        File.Copy(GoldenPipelines.At("sd3-tiny", "scheduler", "scheduler_config.json"),
            world.At("shifted", "scheduler", "scheduler_config.json"));
        string[] export = ["export", "--model", model, "--schedule", "flow:3", "--steps", "4", "--digits", "5", "--to", "diffusers"];
        var own = await CommandLineRun.Of([.. export, "--output", list]);
        Assert.Contains("shift=3;", own.Messages, StringComparison.Ordinal);
        Assert.Contains("[0.99701, 0.74784, 0.49867, 0.2495]", await File.ReadAllTextAsync(list, TestContext.Current.CancellationToken),
            StringComparison.Ordinal);
        await CommandLineRun.Json("import", "--from", list, "--model", model, "--output", back);
        Assert.Equal(8.897, Sampler.Read(back).Schedule.Sigmas[1], 2);
        Assert.Contains("shift=1;", (await CommandLineRun.Of([.. export, "--shift", "1"])).Messages, StringComparison.Ordinal);
        var bare = await CommandLineRun.Of("import", "--from", "0.9, 0.5, 0.1, 0.0", "--model", model, "--output", back);
        Assert.Contains("add --shift 3", bare.Messages, StringComparison.Ordinal);
        Assert.Equal(9, Sampler.Read(back).Schedule.Sigmas[0], 6);
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
    [InlineData("would replace what", "export", "--weights", "@model/model.safetensors", "--model", "@model")]
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
