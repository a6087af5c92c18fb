using FewStep.Denoising;
using FewStep.Fitting;
using FewStep.Noise;
using FewStep.Onnx;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Sampling;

namespace FewStep.Tests.Onnx;

public sealed class OnnxExportTests : TensorFileTests
{
    private const double GreyLevel = 2.0 / 255;

    public static TheoryData<string> Networks => [.. TinyNetworks.All.Keys];

    [Fact]
    public void Properties_that_contradict_the_graph_or_each_other_are_refused()
    {
        string name = TinyNetworks.All.Keys.First();
        using var model = Open(TinyNetworks.Write(_folder.File(name), name));
        string file = _folder.File("sampler.onnx");
        OnnxExport.WriteSampler(model, model.CreateSampler("karras", "euler", 3), file);
        var said = OnnxFileScan.Properties(file);
        var metadata = OnnxMetadata.Read(file, said)!;
        Assert.Throws<InvalidInputException>(() => OnnxSampler.Of(file, File.ReadAllBytes(file), metadata with { Steps = 2 }));
        Assert.Throws<InvalidInputException>(() => OnnxSampler.Of(file, File.ReadAllBytes(file), metadata with { Evaluations = 1 }));
        foreach (var (key, value) in new[] { ("class_names", "[\"a\"]"), ("no_class", "maybe"), ("classes", "1000000000") })
        {
            var edited = new Dictionary<string, string>(said) { ["fewstep.classes"] = "7", [$"fewstep.{key}"] = value };
            var refused = Assert.Throws<InvalidInputException>(() => OnnxMetadata.Read(file, edited));
            Assert.Contains(key, refused.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Networks))]
    public void A_denoiser_is_read_back_and_agrees_at_every_noise_level(string name)
    {
        using var model = Open(TinyNetworks.Write(_folder.File(name), name));
        string file = _folder.File($"{name}.onnx");
        var written = OnnxExport.Write(model, file);
        Assert.Equal((new FileInfo(file).Length, 1), (written.Bytes, written.Evaluations));
        using var back = Model.Open(file);
        Assert.Equal((model.Shape, model.Classes, model.Denoiser.SigmaMin, model.Denoiser.SigmaMax),
            (back.Shape, back.Classes, back.Denoiser.SigmaMin, back.Denoiser.SigmaMax));
        Assert.Equal(model.Name, back.Name);
        const int images = 9;
        double[] levels = [.. Enumerable.Range(0, images).Select(
            i => model.Denoiser.SigmaMin * Math.Pow(model.Denoiser.SigmaMax / model.Denoiser.SigmaMin, i / (images - 1.0)))];
        var sigma = tensor([.. levels.Select(l => (float)l)]);
        var x = (Noise(images, model.Shape) * sigma.view(-1, 1, 1, 1)) + 0.3f;
        bool knowsNone = model.Denoiser is IKnowsNoClass { KnowsNoClass: true };
        var labels = model.Classes == 0 ? null
            : tensor([.. Enumerable.Range(0, images).Select(i => i == 4 && knowsNone ? -1L : i % model.Classes)]);
        Assert.InRange(Error(back.Denoiser.Denoise(x, sigma, labels), model.Denoiser.Denoise(x, sigma, labels)), 0, 2e-5);
    }

    [Theory]
    [InlineData("song-classes", "euler", false)]
    [InlineData("song-patches", "heun", true)]
    [InlineData("adm-variance", "unipc:3:thresholding=false", false)]
    [InlineData("ddpm", "ipndm:3", false)]
    [InlineData("edm2", "ipndm:2", false)]
    [InlineData("dit", "heun", false)]
    public void A_whole_sampler_gives_the_images_of_its_model(string name, string solver, bool toZero)
    {
        using var model = Open(TinyNetworks.Write(_folder.File(name), name));
        var sampler = model.CreateSampler("karras", solver, 3);
        if (toZero)
            sampler = sampler with { Schedule = new SamplingSchedule(sampler.Schedule.Sigmas, ScheduleTerminal.Zero) };
        string file = _folder.File("s.onnx");
        var written = OnnxExport.WriteSampler(model, sampler, file);
        using var back = OnnxSampler.TryOpen(file)!;
        Assert.Equal(sampler.ToString(), back.Sampler.ToString());
        SameImages(model, sampler, back, written.Evaluations);
    }

    [Fact]
    public void A_fitted_sampler_keeps_its_weights_and_told_noise_levels()
    {
        using var model = Open(TinyNetworks.Write(_folder.File("m"), "song-classes"));
        var schedule = model.CreateSampler("karras", "euler", 3).Schedule;
        StepCorrection[] corrections =
        [
            new() { Slope = 0.1, NoiseLevel = 60 },
            new() { Differences = [0.3], Slope = -0.05, Scale = 0.02 },
            new() { Differences = [0.2, -0.1] },
        ];
        var sampler = new Sampler(schedule, new FittedSolver(SolverCatalog.Find("ipndm:2"), schedule, corrections))
        { Origin = new() { ModelHash = model.Hash, Fit = HandMadeFit.Origin } };
        string file = _folder.File("s.onnx");
        var written = OnnxExport.WriteSampler(model, sampler, file);
        using var back = OnnxSampler.TryOpen(file)!;
        Assert.Equal(sampler.Solver, back.Sampler.Solver);
        SameImages(model, sampler, back, written.Evaluations);
        using var other = Open(TinyNetworks.Write(_folder.File("other"), "song-classes", seed: 2));
        Assert.Contains("another model", Assert.Throws<InvalidInputException>(
            () => OnnxExport.WriteSampler(other, sampler, file)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_sampler_fitted_to_the_exported_denoiser_is_that_of_its_model()
    {
        using var model = Open(TinyNetworks.Write(_folder.File("m"), "song-classes"));
        string file = _folder.File("m.onnx");
        OnnxExport.Write(model, file);
        using var exported = Model.Open(file);
        var options = new FitOptions { Latents = 16, HeldOutLatents = 8, BatchSize = 5, TeacherSteps = 12 };
        double[] Weights(Model of)
        {
            var fitted = of.FitSamplers([of.CreateSampler("karras", "euler", 3)], options, 0, null, TestContext.Current.CancellationToken);
            return [.. Assert.IsType<FittedSolver>(fitted.Single().Solver).Corrections.SelectMany(c => c.Differences.Append(c.Slope))];
        }

        double[] own = Weights(model);
        Assert.True(own.Max(w => Math.Abs(w)) > 0.01);
        Assert.Equal(own, Weights(exported), (a, b) => Math.Abs(a - b) < 1e-3);
    }

    [Theory]
    [InlineData(0, double.PositiveInfinity, false, 6)]
    [InlineData(0.5, 20, false, 4)]
    [InlineData(0.5, 20, true, 4)]
    public void Guidance_is_in_the_file_and_costs_what_it_costs(double low, double high, bool byAnother, int cost)
    {
        string path = TinyNetworks.Write(_folder.File("m"), "song-classes");
        string guide = TinyNetworks.Write(_folder.File("g"), "song-classes", seed: 2);
        using var model = Model.Open(path, new()
        {
            ComputeType = ScalarType.Float32,
            Guidance = new() { Weight = 2.5, SigmaLow = low, SigmaHigh = high },
            Guide = byAnother ? guide : null,
        });
        var sampler = model.CreateSampler("karras", "ipndm:2", 3); // sigma 80, 7.6, 0.1
        string file = _folder.File("s.onnx"), alone = _folder.File("m.onnx");
        var written = OnnxExport.WriteSampler(model, sampler, file);
        Assert.Equal(cost, written.Evaluations);
        using (var back = OnnxSampler.TryOpen(file)!)
            SameImages(model, sampler, back, cost, labelled: true);

        Assert.Equal(2, OnnxExport.Write(model, alone).Evaluations);
        using var denoiser = Model.Open(alone);
        var sigma = tensor(new[] { 0.1f, 3f, 50f });
        var x = Noise(3, model.Shape) * sigma.view(-1, 1, 1, 1);
        var labels = tensor(new[] { 0L, -1, 2 });
        Assert.InRange(Error(denoiser.Denoiser.Denoise(x, sigma, labels), model.Denoiser.Denoise(x, sigma, labels)), 0, 2e-5);
        ((IEvaluationCount)denoiser.Denoiser).Denoise(x, sigma, labels, out long evaluations);
        Assert.Equal(6, evaluations);
        Assert.Throws<InvalidInputException>(() => Model.Open(alone, new() { Guidance = new() { Weight = 2 } }));
    }

    [Fact]
    public void Weights_lie_in_the_file_once_and_in_float16_take_half_of_it()
    {
        using var model = Open(TinyNetworks.Write(_folder.File("m"), "adm-plain"));
        var sampler = model.CreateSampler("karras", "euler", 4);
        long denoiser = OnnxExport.Write(model, _folder.File("m.onnx")).Bytes;
        long four = OnnxExport.WriteSampler(model, sampler, _folder.File("4.onnx")).Bytes;
        Assert.InRange(four, denoiser, denoiser + 40_000);
        var half = OnnxExport.WriteSampler(model, sampler, _folder.File("half.onnx"), new() { HalfWeights = true });
        long weights = model.Network!.Layout.Count * sizeof(float);
        Assert.InRange(four - half.Bytes, 0.4 * weights, 0.5 * weights);
        Assert.InRange(half.Error, 0, 2e-5);
        Assert.InRange(half.RoundingError, 1e-6, 0.05);
    }

    [Fact]
    public void Weights_too_large_for_float16_are_refused_by_name_and_nothing_is_written()
    {
        using var model = Open(TinyNetworks.Write(_folder.File("m"), "adm-plain", change: weights => weights[0] = 70_000f));
        string file = _folder.File("m.onnx");
        var refused = Assert.Throws<InvalidInputException>(() => OnnxExport.Write(model, file, new() { HalfWeights = true }));
        Assert.Contains("map_layer0.weight", refused.Message, StringComparison.Ordinal);
        Assert.Contains("65504", refused.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(file));
    }

    [Fact]
    public void The_properties_say_what_the_file_holds()
    {
        using var model = Open(TinyNetworks.Write(_folder.File("m"), "song-classes"));
        string file = _folder.File("s.onnx");
        OnnxExport.WriteSampler(model, model.CreateSampler("karras/euler/2"), file, new() { License = "MIT" });
        var said = OnnxFileScan.Properties(file);
        string[] keys = ["kind", "format", "version", "model", "model_sha256", "license", "shape", "classes", "sampler", "steps",
            "evaluations", "sigma_min", "sigma_max", "guidance"];
        Assert.Empty(keys.Select(k => $"fewstep.{k}").Except(said.Keys));
        Assert.Equal(("sampler", "1", model.Hash, "MIT", "1,8,8", "3", "2", "2", "0.002", "80", "1"),
            (said["fewstep.kind"], said["fewstep.format"], said["fewstep.model_sha256"], said["fewstep.license"], said["fewstep.shape"],
                said["fewstep.classes"], said["fewstep.steps"], said["fewstep.evaluations"], said["fewstep.sigma_min"],
                said["fewstep.sigma_max"], said["fewstep.guidance"]));
        Assert.Contains("sample and verify take it", Assert.Throws<InvalidInputException>(() => Model.Open(file)).Message,
            StringComparison.Ordinal);
        foreach (var (key, value) in new[]
        {
            ("kind", "picture"), ("format", "2"), ("shape", "1,8"), ("shape", "1,0,8"), ("classes", "-1"), ("evaluations", "x"),
            ("steps", ""), ("sigma_max", "NaN"),
        })
        {
            var wrong = new Dictionary<string, string>(said) { [$"fewstep.{key}"] = value };
            Assert.Contains($"fewstep.{key}", Assert.Throws<InvalidInputException>(() => OnnxMetadata.Read("a.onnx", wrong)).Message,
                StringComparison.Ordinal);
        }
    }

    private static Model Open(string path) => Model.Open(path, new() { ComputeType = ScalarType.Float32 });

    private static void SameImages(Model model, Sampler sampler, OnnxSampler back, int cost, bool labelled = false)
    {
        long[] seeds = [3, 4, 5, 6];
        var latents = Latents.Draw(seeds, model.Shape);
        var labels = model.Classes == 0 ? null : tensor(labelled ? [0L, 1, 2, 0] : new long[] { 0, 1, -1, 1 });
        var own = new SamplingLoop(model.Denoiser, sampler.Solver, sampler.Schedule).Sample(latents, labels);
        var made = ((IBatchSource)back).Sample(latents, seeds, labels, TestContext.Current.CancellationToken);
        Assert.Equal(own.Evaluations, made.Evaluations);
        Assert.Equal(cost, made.EvaluationsPerImage);
        Assert.InRange(Error(made.Samples, own.Samples), 0, GreyLevel / 4); // random networks leave the data's range
    }

    private static Tensor Noise(int images, ImageShape shape)
        => Latents.Draw([.. Enumerable.Range(10, images).Select(i => (long)i)], shape);

    private static double Error(Tensor actual, Tensor expected)
        => (actual - expected).abs().max().item<float>() / expected.abs().max().item<float>();
}
