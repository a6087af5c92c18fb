using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Solvers;
using FewStep.Tests.Data;
using FewStep.Tests.Networks;
using FewStep.Tuning;

namespace FewStep.Tests.Tuning;

public sealed class LoraTuningTests : FolderTests
{
    private static readonly Sampler TwoSteps = new(new SamplingSchedule([14, 1.5, 0.05]), SolverCatalog.Find("euler"));

    private static readonly TuningOptions Short = new()
    {
        Lora = new LoraOptions { Rank = 2 },
        Updates = 4,
        Batch = 2,
        LearningRate = 5e-3,
        WarmUpUpdates = 0,
        EvaluationInterval = 2,
        HeldOutCount = 2,
        EmaHalfLifeImages = 8,
        TeacherBatches = 2,
        TeacherSubsteps = 2,
        SnapshotFractions = [],
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(TuningLoss.Trajectory)]
    [InlineData(TuningLoss.Endpoint)]
    [InlineData(TuningLoss.Regression)]
    [InlineData(TuningLoss.Consistency)]
    [InlineData(TuningLoss.Denoise)]
    public void Every_loss_trains_adapters_and_leaves_the_model_as_it_is(TuningLoss loss)
    {
        using var source = ModelSource.Open(GoldenPipelines.At("dit-tiny"));
        using var before = source.Denoiser.Weights.clone();
        using var images = new ListImageSet(source.Config.Shape, [.. Enumerable.Range(0, 4).Select(i => Enumerable.Repeat((byte)(50 * i),
            4 * 16 * 16).ToArray())], [0, 1, 2, 3]);
        var tuner = new Tuner(source.Denoiser, TwoSteps, Short with { Loss = loss, CheckpointActivations = true },
            new TuningImages(images, images));
        using var result = tuner.Run(cancellation: Token);
        Assert.Equal((tuner.Trained.Count, TuningStop.AllUpdates), (result.Weights.NumberOfElements, result.Report.Stop));
        Assert.True(result.Report.Evaluations.Student > 0);
        Assert.Equal(3, result.Report.Curve.Select(p => p.HeldOut).Distinct().Count());
        Assert.True(before.Equals(source.Denoiser.Weights));
    }

    [Fact]
    public void Adapters_bring_images_nearer_to_the_teachers()
    {
        using var source = ModelSource.Open(GoldenPipelines.At("dit-tiny"));
        var options = Short with
        { Lora = new LoraOptions { Rank = 8 }, Updates = 12, Batch = 8, HeldOutCount = 16, EvaluationInterval = 6, TeacherSubsteps = 3 };
        var sampler = new Sampler(
            StandardSchedule.Karras().Create(4, source.Denoiser.SigmaMin, source.Denoiser.SigmaMax), TwoSteps.Solver);
        using var result = new Tuner(source.Denoiser, sampler, options).Run(cancellation: Token);
        Assert.InRange(result.Report.BestHeldOut!.Value / result.Report.Curve[0].HeldOut, 0, 0.8);
    }

    [Fact]
    public void Adapters_of_convolutions_bring_a_UNet_further_than_those_of_attention()
    {
        using var source = ConditionUNetFolder.Read(GoldenPipelines.Latents("sd15-tiny"));
        source.Denoiser.Conditions = TableConditions.OfGoldenPrompts();
        double Left(string layers)
        {
            var options = Short with
            {
                Lora = new LoraOptions { Rank = 8, Layers = layers },
                Updates = 12,
                Batch = 4,
                LearningRate = 1e-2,
                HeldOutCount = 8,
                EvaluationInterval = 12,
                EmaHalfLifeImages = 4,
            };
            using var result = new Tuner(source.Denoiser, TwoSteps, options).Run(cancellation: Token);
            return result.Report.BestHeldOut!.Value / result.Report.Curve[0].HeldOut;
        }

        double all = Left("all");
        Assert.InRange(all, 0, 0.9);
        Assert.True(all < Left("attention,feed-forward"));
    }

    [Fact]
    public void Interrupted_and_resumed_it_ends_as_if_it_had_not_been_and_the_file_is_the_model_that_lies_beside_it()
    {
        using var source = ModelSource.Open(GoldenPipelines.At("dit-tiny"));
        TuningRun Run(string name, TuningOptions options) => new(source.Config, source.Denoiser, TwoSteps, options,
            new TuningRunOptions { Folder = _folder.File(name), ModelHash = source.Hash });
        Run("whole", Short).Execute(cancellation: Token);
        using var stop = new CancellationTokenSource();
        var cancelled = Run("parts", Short).Execute(new TuningObserver { Update = _ => stop.Cancel() }, stop.Token);
        Assert.Equal(TuningStop.Cancelled, cancelled.Stop);
        Refused.With("lora", () => Run("parts", Short with { Lora = new LoraOptions { Rank = 2, Alpha = 3 } }).Execute());
        Run("parts", Short).Execute(cancellation: Token);
        foreach (string file in new[] { "lora.safetensors", "model.safetensors" })
            Assert.Equal(File.ReadAllBytes(_folder.File($"whole/{file}")), File.ReadAllBytes(_folder.File($"parts/{file}")));
        File.Delete(_folder.File("parts/tuning.safetensors"));
        File.Delete(_folder.File("parts/model.safetensors"));
        Refused.With("lora.safetensors is not of this tuning", () => Run("parts", Short).Execute());

        string path = _folder.File("whole/lora.safetensors");
        Same(path, _folder.File("whole/model.safetensors"), GoldenPipelines.At("dit-tiny", "transformer"));
        var metadata = Metadata(path);
        Assert.Equal(("2", "2", source.Hash), (metadata["fewstep_rank"], metadata["fewstep_alpha"], metadata["fewstep_model"]));
        Assert.Equal(File.ReadAllText(_folder.File("whole/sampler.json")), metadata["fewstep_sampler"]);
    }

    [Fact]
    public void A_network_of_prompts_learns_guidance_and_leaves_its_LoRA_in_both_namings()
    {
        using var source = ConditionUNetFolder.Read(GoldenPipelines.Latents("sd15-tiny"));
        var model = source.Denoiser;
        model.Conditions = TableConditions.OfGoldenPrompts();
        var teacher = new TuningTeacher(GuidedDenoiser.ClassifierFree(model, new Guidance { Weight = 3 }), "guided");
        var lora = new LoraOptions { Rank = 3, Alpha = 2, Layers = "all" };
        TuningRun Run(LoraNames names) => new(source.Config, model, TwoSteps, Short with { Lora = lora, Updates = 2 },
            new TuningRunOptions { Folder = _folder.File($"{names}"), LoraNames = names }, teacher: teacher);
        foreach (var names in Enum.GetValues<LoraNames>())
        {
            Run(names).Execute(cancellation: Token);
            Assert.False(File.Exists(_folder.File($"{names}/model.safetensors")));
            Assert.False(Metadata(_folder.File($"{names}/lora.safetensors")).ContainsKey("fewstep_model"));
        }

        using var state = new Tuner(model, TwoSteps, Short with { Lora = lora, Updates = 2 }, teacher: teacher.Denoiser)
            .Run(cancellation: Token);
        using var scope = NewDisposeScope();
        var adapters = new LoraAdapters(model.Layout, 3, 2, lora.UsedLayers);
        ModelFolder.Write(_folder.File("fused"), source.Config, model, adapters.Fuse(model.Weights, state.Weights));
        foreach (var names in Enum.GetValues<LoraNames>())
        {
            Same(_folder.File($"{names}/lora.safetensors"), _folder.File("fused/model.safetensors"),
                GoldenPipelines.At("sd15-tiny", "unet"), 1e-6);
        }

        Assert.Equal("2", Metadata(_folder.File("Kohya/lora.safetensors"))["ss_network_alpha"]);
    }

    [Fact]
    public void Kohyas_names_of_XL_are_read_and_those_of_transformers_refused()
    {
        using var source = ConditionUNetFolder.Read(GoldenPipelines.Latents("sdxl-tiny"));
        var adapters = new LoraAdapters(source.Denoiser.Layout, 2, 2, LoraLayers.All);
        using var scope = NewDisposeScope();
        var trained = adapters.Layout.Initialize(1) + 0.01;
        string path = _folder.File("xl.safetensors");
        LoraWriter.Write(path, source.Denoiser.Network, adapters, trained, LoraNames.Kohya, new Dictionary<string, string>());
        ModelFolder.Write(_folder.File("fused"), source.Config, source.Denoiser, adapters.Fuse(source.Denoiser.Weights, trained));
        Same(path, _folder.File("fused/model.safetensors"), GoldenPipelines.At("sdxl-tiny", "unet"));
        var names = SafetensorsFile.Read(path).Tensors.Keys;
        Assert.Contains("lora_unet_middle_block_1_proj_in.alpha", names);
        Assert.Contains("lora_unet_input_blocks_1_0_emb_layers_1.alpha", names);
        Assert.Contains("lora_unet_input_blocks_1_0_in_layers_2.lora_down.weight", names);

        using var transformer = ModelSource.Open(GoldenPipelines.At("dit-tiny"));
        Refused.With("U-Nets of Stable Diffusion alone", () => _ = new TuningRun(transformer.Config, transformer.Denoiser, TwoSteps, Short,
            new TuningRunOptions { Folder = _folder.File("dit"), LoraNames = LoraNames.Kohya }));
        using var plain = TinyModel.Create();
        Refused.With("leave it out", () => _ = new Tuner(plain, TinyModel.Sampler, new TuningOptions { CheckpointActivations = true }));
        var unknown = new LoraOptions { Layers = "attention,convolution" };
        Refused.With("no layers 'convolution'; there are attention, feed-forward, convolutions, time-projections, all. Did you mean",
            () => _ = new Tuner(transformer.Denoiser, TwoSteps, Short with { Lora = unknown }));
        Refused.With("rank of a LoRA must lie between", () => _ = new Tuner(
            transformer.Denoiser, TwoSteps, Short with { Lora = new LoraOptions { Rank = 0, Alpha = -1 } }));
    }

    // A LoRA read into its base's weights makes those of a file.
    private static void Same(string lora, string fused, string network, double tolerance = 0)
    {
        using var file = LoraFile.Read(lora);
        using var weights = DiffusersWeights.Find(network, null).Read();
        using var expected = SafetensorsFile.Read(fused).Tensors;
        file.Fuse(weights, LoraPart.Denoiser, 1);
        Assert.All(weights, entry => Assert.InRange(GoldenPipelines.Difference(expected[entry.Key], entry.Value), 0, tolerance));
    }

    private static Dictionary<string, string> Metadata(string path)
    {
        var (tensors, metadata) = SafetensorsFile.Read(path);
        tensors.Dispose();
        return metadata;
    }
}
