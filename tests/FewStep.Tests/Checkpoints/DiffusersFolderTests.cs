using System.Text.Json;
using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Noise;

namespace FewStep.Tests.Checkpoints;

public sealed class DiffusersFolderTests : FolderTests
{
    // The published configurations, key by key.
    private const string Ddpm = """
        {"_class_name":"UNet2DModel","_diffusers_version":"0.0.4","act_fn":"silu","attention_head_dim":null,
        "block_out_channels":[128,256,256,256],"center_input_sample":false,
        "down_block_types":["DownBlock2D","AttnDownBlock2D","DownBlock2D","DownBlock2D"],"downsample_padding":0,"flip_sin_to_cos":false,
        "freq_shift":1,"in_channels":3,"layers_per_block":2,
        "mid_block_scale_factor":1,"norm_eps":1e-06,"norm_num_groups":32,"out_channels":3,"sample_size":32,
        "time_embedding_type":"positional",
        "up_block_types":["UpBlock2D","UpBlock2D","AttnUpBlock2D","UpBlock2D"]}
        """;

    private const string DdpmScheduler = """
        {"_class_name":"DDPMScheduler","_diffusers_version":"0.1.1","beta_end":0.02,"beta_schedule":"linear","beta_start":0.0001,
        "clip_sample":true,"num_train_timesteps":1000,"trained_betas":null,"variance_type":"fixed_large"}
        """;

    private const string Consistency = """
        {"_class_name":"UNet2DModel","_diffusers_version":"0.18.0.dev0","act_fn":"silu","add_attention":true,"attention_head_dim":64,
        "attn_norm_num_groups":32,"block_out_channels":[192,384,576,768],
        "center_input_sample":false,"class_embed_type":null,"down_block_types":["ResnetDownsampleBlock2D","AttnDownBlock2D",
        "AttnDownBlock2D","AttnDownBlock2D"],"downsample_padding":1,
        "downsample_type":"resnet","flip_sin_to_cos":true,"freq_shift":0,"in_channels":3,"layers_per_block":3,"mid_block_scale_factor":1,
        "norm_eps":1e-05,"norm_num_groups":32,"num_class_embeds":1000,
        "out_channels":3,"resnet_time_scale_shift":"scale_shift","sample_size":64,"time_embedding_type":"positional",
        "up_block_types":["AttnUpBlock2D","AttnUpBlock2D","AttnUpBlock2D","ResnetUpsampleBlock2D"],"upsample_type":"resnet"}
        """;

    private const string Small = """
        {"_class_name":"UNet2DModel","sample_size":[16,16],"block_out_channels":[32,64],"layers_per_block":1,"norm_num_groups":16,
        "resnet_time_scale_shift":"SHIFT","freq_shift":FREQ,"flip_sin_to_cos":FLIP,
        "norm_eps":EPS,"attention_head_dim":HEAD,"downsample_padding":PAD,"downsample_type":"TYPE","upsample_type":"TYPE",
        "num_class_embeds":CLASSES,
        "down_block_types":["DOWN","AttnDownBlock2D"],"up_block_types":["AttnUpBlock2D","UP"]}
        """;

    [Fact]
    public void The_published_configuration_of_ddpm_cifar10_is_the_network_of_35_7_million_weights()
    {
        var (config, _, _, _) = DiffusersFolder.Describe(Write(Ddpm, DdpmScheduler), new ModelReadOptions());
        using var network = config.BuildNetwork();
        Assert.Equal(35_746_307, network.Layout.Count); // as the weights published with it
        Assert.Equal((3, 32, 32), (config.Shape.Channels, config.Shape.Height, config.Shape.Width));
        Assert.Equal([16], ((DdpmUNetOptions)config.Network).AttnResolutions);
        Assert.Equal((DiscreteVpNoise.LinearName, 1000, NetworkPrediction.Epsilon),
            (config.Preconditioning.Noise, config.Preconditioning.TimeSteps, config.Preconditioning.Prediction));
    }

    [Fact]
    public void The_published_configuration_of_cd_imagenet64_is_the_network_of_296_million_weights()
    {
        var (config, _, _, remarks) = DiffusersFolder.Describe(
            Write(Consistency, """{"_class_name":"CMStochasticIterativeScheduler","num_train_timesteps":40,"sigma_min":0.002,"sigma_max":"""
                + """80.0,"sigma_data":0.5,"s_noise":1.0,"rho":7.0,"clip_denoised":true}"""), new ModelReadOptions());
        using var network = config.BuildNetwork();
        Assert.Equal(295.9, network.Layout.Count / 1e6, 1);
        Assert.Equal((1000, "consistency"), (config.Classes, config.Preconditioning.Kind));
        Assert.Equal([32, 16, 8], ((DhariwalUNetOptions)config.Network).AttnResolutions);
        Assert.Null(((DhariwalUNetOptions)config.Network).NormGroups);
        Assert.Contains("consistency", Assert.Single(remarks), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, false, 0, false, 1, null, 1e-6, 0, false)]
    [InlineData(false, false, 1, true, 0, 8, 1e-5, 3, true)]
    [InlineData(false, true, 1, true, 1, 16, 1e-5, 0, false)]
    [InlineData(true, true, 1, true, 0, 16, 1e-5, 5, false)]
    [InlineData(true, false, 1, false, 0, null, 1e-5, 0, true)]
    public void The_network_computes_what_its_description_says(
        bool residual, bool scaleShift, int padding, bool cosineFirst, int shift, int? head, double epsilon, int classes, bool oldNames)
    {
        using var scope = NewDisposeScope();
        using var reference = new DiffusersReference([32, 64], [false, true], 1, head, epsilon, 16, scaleShift, padding, cosineFirst, shift)
        { OldNames = oldNames, Classes = classes, ByResidualBlocks = residual };
        Tensor x = randn(2, 3, 16, 16), steps = tensor(new[] { 3f, 871f });
        Tensor? labels = classes > 0 ? tensor(new long[] { 2, 0 }) : null;
        Tensor expected = reference.Forward(x, steps, labels);
        string config = Small.Replace("SHIFT", scaleShift ? "scale_shift" : "default").Replace("FREQ", $"{shift}")
            .Replace("FLIP", cosineFirst ? "true" : "false").Replace("EPS", FormattableString.Invariant($"{epsilon:0.0######}"))
            .Replace("HEAD", head?.ToString() ?? "null").Replace("PAD", $"{padding}").Replace(
                "TYPE", residual ? "resnet" : "conv").Replace("CLASSES", classes > 0 ? $"{classes}" : "null")
            .Replace("DOWN", residual ? "ResnetDownsampleBlock2D" : "DownBlock2D").Replace(
                "UP", residual ? "ResnetUpsampleBlock2D" : "UpBlock2D");
        string folder = Write(config, DdpmScheduler, reference.State);
        using var source = ModelSource.Open(folder);
        Tensor actual = source.Denoiser.Raw(x, steps, labels);
        Assert.InRange(((actual - expected).abs().max() / expected.abs().max()).item<float>(), 0, 2e-5);
    }

    [Theory]
    [InlineData(false, true, true, false, null, null, null)]
    [InlineData(true, false, true, false, null, null, null)]
    [InlineData(false, true, false, true, null, null, 96)]
    [InlineData(true, true, true, true, 0, null, 64)]
    [InlineData(false, true, true, false, 8, 8, null)]
    [InlineData(true, true, true, true, 8, 8, null)]
    public void Middles_without_attention_or_its_norm_and_embeddings_of_other_sizes_are_read(
        bool residual, bool middle, bool attends, bool scaleShift, int? groups, int? stated, int? timeChannels)
    {
        using var scope = NewDisposeScope();
        using var reference = new DiffusersReference([32, 64], [false, true], 1, 16, 1e-5, 16, scaleShift, 1, true, 0)
        {
            ByResidualBlocks = residual,
            HasMiddle = middle,
            MiddleAttends = attends,
            MiddleGroups = groups,
            TimeChannels = timeChannels,
        };
        Tensor x = randn(2, 3, 16, 16), steps = tensor(new[] { 3f, 871f });
        Tensor expected = reference.Forward(x, steps, null);
        string change = residual ? "resnet" : "conv", scale = scaleShift ? "scale_shift" : "default";
        string config = $$"""
            {"_class_name":"UNet2DModel","sample_size":16,"block_out_channels":[32,64],"layers_per_block":1,"norm_num_groups":16,
            "resnet_time_scale_shift":"{{scale}}","attention_head_dim":16,"downsample_type":"{{change}}","upsample_type":"{{change}}",
            "add_attention":{{(attends ? "true" : "false")}},"mid_block_type":{{(middle ? "\"UNetMidBlock2D\"" : "null")}},
            "attn_norm_num_groups":{{stated?.ToString(CultureInfo.InvariantCulture) ?? "null"}},
            "time_embedding_dim":{{timeChannels?.ToString(CultureInfo.InvariantCulture) ?? "null"}},
            "down_block_types":["{{(residual ? "ResnetDownsampleBlock2D" : "DownBlock2D")}}","AttnDownBlock2D"],
            "up_block_types":["AttnUpBlock2D","{{(residual ? "ResnetUpsampleBlock2D" : "UpBlock2D")}}"]}
            """;
        string folder = Write(config, DdpmScheduler, reference.State);
        using var source = ModelSource.Open(folder);
        Tensor actual = source.Denoiser.Raw(x, steps, null);
        Assert.InRange(((actual - expected).abs().max() / expected.abs().max()).item<float>(), 0, 2e-5);

        // And out again, under the same names.
        string exported = _folder.File("exported.safetensors");
        Assert.Equal(reference.State.Count, DiffusersNames.Write(exported, source.Config, source.Denoiser));
        using var written = SafetensorsFile.Read(exported).Tensors;
        Assert.Equal(reference.State.Keys.Order(), written.Keys.Order());
        Assert.All(written, pair =>
        {
            Assert.Equal(reference.State[pair.Key].shape, pair.Value.shape);
            Assert.Equal(reference.State[pair.Key].data<float>().ToArray(), pair.Value.data<float>().ToArray());
        });
        File.Copy(exported, Path.Combine(folder, "unet", "diffusion_pytorch_model.safetensors"), overwrite: true);
        File.Delete(Path.Combine(folder, "unet", "config.json"));
        DiffusersConfigWriter.Write(Path.Combine(folder, "unet"), source.Config);
        using var back = ModelSource.Open(folder);
        Assert.Equal(source.Denoiser.Weights.data<float>().ToArray(), back.Denoiser.Weights.data<float>().ToArray());
        Assert.Equal(Json(source.Config), Json(back.Config));
        Assert.Throws<InvalidInputException>(
            () => DiffusersConfigWriter.Write(Path.Combine(folder, "unet"), source.Config with { Classes = 7, Network = Others() }));

        static DdpmUNetOptions Others() => new() { ImgResolution = 16, InChannels = 3, OutChannels = 3, LabelDim = 7 };
    }

    [Theory]
    [InlineData("\"time_embedding_dim\":null")]
    [InlineData("\"decay\":0.9999,\"inv_gamma\":1.0,\"min_decay\":0.0,\"optimization_step\":10,\"power\":0.75,"
        + "\"update_after_step\":0,\"use_ema_warmup\":true")]
    [InlineData("\"mid_block_type\":\"UNetMidBlock2D\",\"dropout\":0.0,\"attn_norm_num_groups\":null,\"a_later_argument\":null")]
    [InlineData("\"_commit_hash\":\"Infinity\",\"_use_default_values\":[\"dropout\"],\"decay\":Infinity")]
    public void What_later_versions_and_training_leave_in_a_configuration_changes_nothing(string keys)
    {
        var (expected, _, _, _) = DiffusersFolder.Describe(Write(Ddpm, DdpmScheduler), new ModelReadOptions());
        string folder = Write(Ddpm.Replace("\"freq_shift\":1", "\"freq_shift\":1," + keys, StringComparison.Ordinal), DdpmScheduler.Replace(
            "\"clip_sample\":true", "\"clip_sample\":true,\"lambda_min_clipped\":-Infinity,\"use_flow_sigmas\":false",
            StringComparison.Ordinal));
        var (config, _, _, remarks) = DiffusersFolder.Describe(folder, new ModelReadOptions());
        Assert.Equal(Json(expected), Json(config));
        Assert.Empty(remarks);
    }

    [Fact]
    public void Byte_order_marks_and_utf_16_are_read()
    {
        string folder = Write(Ddpm, DdpmScheduler);
        var (expected, _, _, _) = DiffusersFolder.Describe(folder, new ModelReadOptions());
        File.WriteAllText(Path.Combine(folder, "unet", "config.json"), Ddpm.ReplaceLineEndings("\r\n"), new UTF8Encoding(true));
        File.WriteAllText(Path.Combine(folder, "scheduler", "scheduler_config.json"), DdpmScheduler, Encoding.Unicode);
        var (config, _, _, _) = DiffusersFolder.Describe(folder, new ModelReadOptions());
        Assert.Equal(Json(expected), Json(config));
    }

    [Fact]
    public void Shards_variants_caches_and_files_in_place_of_folders_are_one_model()
    {
        using var scope = NewDisposeScope();
        var (folder, state) = Tiny();
        string unet = Path.Combine(folder, "unet"), whole = Path.Combine(unet, "diffusion_pytorch_model.safetensors");
        using var original = ModelSource.Open(folder);
        float[] weights = original.Denoiser.Weights.data<float>().ToArray();
        void Same(string path, ModelReadOptions? options = null, string? remark = null)
        {
            using var source = ModelSource.Open(path, options);
            Assert.Equal(weights, source.Denoiser.Weights.data<float>().ToArray());
            Assert.Equal(remark is null ? [] : [remark], source.Remarks);
            Assert.Equal(DiscreteVpNoise.LinearName, source.Config.Preconditioning.Noise);
        }

        Same(whole);
        Same(unet);

        // A cache of the hub: links to the snapshot's files do not matter, its root does.
        string cache = _folder.File("models--someone--tiny"), snapshot = Path.Combine(cache, "snapshots", "0123abcd");
        Directory.CreateDirectory(Path.Combine(cache, "refs"));
        Directory.CreateDirectory(Path.Combine(cache, "snapshots"));
        Directory.CreateSymbolicLink(snapshot, folder);
        File.WriteAllText(Path.Combine(cache, "refs", "main"), "0123abcd");
        Same(cache);
        Directory.CreateDirectory(Path.Combine(cache, "snapshots", "ffff"));
        Same(cache);
        File.WriteAllText(Path.Combine(cache, "refs", "main"), "../../elsewhere");
        Refused.With("2 snapshots", () => ModelSource.Open(cache));

        // Variants: the one without a name first, the others by name or where there is nothing else.
        string half = Path.Combine(unet, "diffusion_pytorch_model.non_ema.safetensors");
        File.Move(whole, half);
        Same(folder, remark: "The weights are those of the variant non_ema.");
        SafetensorsFile.Write(whole, state.ToDictionary(t => "_orig_mod." + t.Key, t => t.Value * 2));
        Same(folder, new ModelReadOptions { Section = "non_ema" });
        Same(half);
        Refused.With("'bf16'; it has 'non_ema'", () => ModelSource.Open(folder, new ModelReadOptions { Section = "bf16" }));
        File.Delete(half);
        File.Delete(whole);

        // Shards.
        string index = Path.Combine(unet, "diffusion_pytorch_model.safetensors.index.json");
        string[] names = [.. state.Keys.Order(StringComparer.Ordinal)], shards = ["diffusion_pytorch_model-00001-of-00002.safetensors",
            "diffusion_pytorch_model-00002-of-00002.safetensors"];
        void Index(Func<int, string> shard) => File.WriteAllText(index, JsonSerializer.Serialize(new
        { metadata = new { total_size = 1 }, weight_map = names.Index().ToDictionary(n => n.Item, n => shard(n.Index)) }));
        for (int part = 0; part < 2; part++)
        {
            SafetensorsFile.Write(Path.Combine(unet, shards[part]),
                names.Index().Where(n => n.Index % 2 == part).ToDictionary(n => n.Item, n => state[n.Item]));
        }

        Index(i => shards[i % 2]);
        Same(folder);
        Same(index);
        string before = HashOf(folder);
        File.Move(index, Path.Combine(unet, "diffusion_pytorch_model.safetensors.index.fp16.json"));
        Same(folder, remark: "The weights are those of the variant fp16.");
        Index(i => shards[i % 2]);
        SafetensorsFile.Write(
            Path.Combine(unet, shards[1]), names.Index().Where(n => n.Index % 2 == 1).ToDictionary(n => n.Item, n => state[n.Item] * 3));
        Assert.NotEqual(before, HashOf(folder));
        Index(i => i == 5 ? "../scheduler/scheduler_config.json" : shards[i % 2]);
        Refused.With("no file in its own folder", () => ModelSource.Open(folder));
        Index(i => i == 5 ? "missing.safetensors" : shards[i % 2]);
        Refused.With("'missing.safetensors', which is missing", () => ModelSource.Open(folder));
        Refused.With("one of several shards", () => DiffusersWeights.At(Path.Combine(unet, shards[0])));
        File.WriteAllText(Path.Combine(unet, shards[0]), "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12345\n");
        Index(i => shards[i % 2]);
        Refused.With("Git LFS pointer", () => ModelSource.Open(folder));
    }

    [Fact]
    public void Latent_pipelines_and_other_classes_are_refused_by_what_they_are()
    {
        string folder = Write(Ddpm, DdpmScheduler), index = Path.Combine(folder, "model_index.json"), unet = Path.Combine(folder, "unet");
        File.WriteAllText(index, """
            {"_class_name":"LDMPipeline","scheduler":["diffusers","DDIMScheduler"],"unet":["diffusers","UNet2DModel"],
            "vqvae":["diffusers","VQModel"]}
            """);
        Refused.With("is a latent pipeline (LDMPipeline, with an autoencoder in 'vqvae')", () => ModelSource.Open(folder));
        Refused.With("is a latent pipeline", () => ModelSource.Open(unet));
        File.WriteAllText(index, """{"_class_name":"DDPMPipeline","vae":[null,null],"unet":["diffusers","UNet2DModel"]}""");
        Refused.With("has no weights", () => ModelSource.Open(folder));
        foreach (var (config, what) in new[]
        {
            ("""{"_class_name":"SanaTransformer2DModel","sample_size":32}""", "a Sana transformer (SanaTransformer2DModel)"),
            ("""{"_class_name":"AutoencoderKL"}""", "an autoencoder (AutoencoderKL)"),
            ("""{"_class_name":"UNet3DConditionModel"}""", "another kind of U-Net"),
            ("""{"architectures":["T5EncoderModel"],"model_type":"t5"}""", "a text encoder (T5EncoderModel)"),
        })
        {
            File.WriteAllText(Path.Combine(unet, "config.json"), config);
            Refused.With(what, () => ModelSource.Open(folder));
            string alone = _folder.File("alone");
            Directory.CreateDirectory(alone);
            File.WriteAllText(Path.Combine(alone, "config.json"), config);
            Refused.With(what, () => ModelSource.Open(alone));
        }
    }

    [Fact]
    public void Continuous_times_with_v_prediction_are_edm_s_noise_labels()
    {
        using var scope = NewDisposeScope();
        var (folder, _) = Tiny("""
            {"_class_name":"EulerDiscreteScheduler","beta_schedule":"linear","prediction_type":"v_prediction","sigma_max":80,
            "sigma_min":0.002,"timestep_type":"continuous","use_karras_sigmas":true}
            """);
        using var source = ModelSource.Open(folder);
        Assert.Contains("use_karras_sigmas", Assert.Single(source.Remarks), StringComparison.Ordinal);
        Assert.Equal((0.002, 80.0), (source.Denoiser.SigmaMin, source.Denoiser.SigmaMax));
        Tensor x = randn(3, 3, 16, 16), sigma = tensor(new[] { 0.002f, 2.5f, 80f }), column = sigma.view(3, 1, 1, 1);
        Tensor total = column * column + 1, v = source.Denoiser.Raw(x / total.sqrt(), sigma.log() / 4, null);
        Tensor expected = x / total - column / total.sqrt() * v;
        Tensor actual = source.Denoiser.Denoise(x, sigma, null);
        Assert.True((actual - expected).abs().max().item<float>() <= 1e-5 * expected.abs().max().item<float>());

        // A model folder says all of it itself.
        string converted = _folder.File("converted");
        ModelFolder.Write(converted, source.Config, source.Denoiser, source.Denoiser.Weights);
        using var copy = ModelSource.Open(converted);
        Assert.Equal(actual.data<float>().ToArray(), copy.Denoiser.Denoise(x, sigma, null).data<float>().ToArray());
    }

    [Fact]
    public void Between_two_levels_the_network_is_told_the_time_that_diffusers_interpolates()
    {
        var (config, _, _, _) = DiffusersFolder.Describe(Write(Ddpm, DdpmScheduler), new ModelReadOptions());
        var discrete = (DiscreteVpPreconditioning)config.Preconditioning.Build();
        double low = discrete.Noise.Sigmas[400], high = discrete.Noise.Sigmas[401];
        using var sigma = tensor(new[] { Math.Pow(low, 0.7) * Math.Pow(high, 0.3) });
        using var scope = NewDisposeScope();
        Assert.Equal(400.3, discrete.Coefficients(sigma).Noise.item<double>(), 9);
        var copy = JsonSerializer.Deserialize<ModelConfig>(Json(config), JsonFile.Options)!;
        discrete = (DiscreteVpPreconditioning)copy.Preconditioning.Build();
        Assert.Equal(400.3, discrete.Coefficients(sigma).Noise.item<double>(), 9);
    }

    [Fact]
    public void Trained_betas_are_the_noise_levels()
    {
        var (config, _, _, _) = DiffusersFolder.Describe(
            Write(Ddpm, """{"_class_name":"DDPMScheduler","trained_betas":[0.1,0.2,0.5]}"""), new ModelReadOptions());
        var levels = ((DiscreteVpPreconditioning)config.Preconditioning.Build()).Noise.Sigmas;
        double kept = 1;
        Assert.All(new[] { 0.1, 0.2, 0.5 }.Index(), beta =>
        {
            kept *= 1 - beta.Item;
            Assert.Equal(Math.Sqrt(1 / kept - 1), levels[beta.Index], 12);
        });
    }

    [Fact]
    public void Guided_diffusion_s_network_under_diffusers_names_is_the_same_network()
    {
        using var scope = NewDisposeScope();
        string path = GuidedDiffusionTests.Golden("guided-diffusion-adm-cond.pt");
        using var original = ModelSource.Open(path, GuidedDiffusionTests.Golden16);
        var state = TorchStateFile.Read(path);
        string config = """
            {"_class_name":"UNet2DModel","sample_size":16,"block_out_channels":[32,64],"layers_per_block":1,"attention_head_dim":16,
            "num_class_embeds":5,"resnet_time_scale_shift":"scale_shift",
            "attn_norm_num_groups":32,"downsample_type":"resnet","upsample_type":"resnet",
            "down_block_types":["ResnetDownsampleBlock2D","AttnDownBlock2D"],"up_block_types":["AttnUpBlock2D","ResnetUpsampleBlock2D"]}
            """;
        foreach (bool oldNames in new[] { false, true })
        {
            string folder = Write(config, """{"_class_name":"DDIMScheduler","beta_schedule":"squaredcos_cap_v2","num_train_timesteps":"""
                + """1000}""", GuidedDiffusionToDiffusers.Rename(state, 1, [false, true], 16, oldNames));
            using var renamed = ModelSource.Open(folder);
            Tensor x = randn(2, 3, 16, 16), times = tensor(new[] { 3f, 870f }), labels = tensor(new long[] { 1, 4 });
            Assert.Equal(original.Denoiser.Raw(x, times, labels).data<float>().ToArray(),
                renamed.Denoiser.Raw(x, times, labels).data<float>().ToArray());
        }

        foreach (Tensor tensor in state.Values)
            tensor.Dispose();
    }

    public static TheoryData<string, string, string> Unknowns => new()
    {
        { "act_fn\":\"silu", "act_fn\":\"gelu", "act_fn is 'gelu'" },
        { "\"DownBlock2D\",\"AttnDown", "\"SkipDownBlock2D\",\"AttnDown", "SkipDownBlock2D" },
        { "UNet2DModel", "UNet2DConditionModel", "a U-Net conditioned on text (UNet2DConditionModel)" },
        { "\"freq_shift\":1", "\"freq_shift\":2", "freq_shift" },
        { "\"freq_shift\":1", "\"cross_attention_dim\":7", "cross_attention_dim is 7" },
        { "\"sample_size\":32,", "", "sample_size is missing" },
        { "[128,256,256,256]", "[128,256]", "down_block_types" },
        { "[128,256,256,256]", "[128,256,256,-256]", "block_channels" },
        { "\"UpBlock2D\",\"UpBlock2D\",\"Attn", "\"AttnUpBlock2D\",\"UpBlock2D\",\"Attn", "differ in the attention" },
        { "[\"UpBlock2D\",\"UpBlock2D\"", "[null,\"UpBlock2D\"", "up_block_types names 'null'" },
    };

    [Theory]
    [MemberData(nameof(Unknowns))]
    public void What_is_not_known_is_refused_by_its_key(string known, string unknown, string message)
    {
        Assert.Contains(known, Ddpm, StringComparison.Ordinal);
        string folder = Write(Ddpm.Replace(known, unknown, StringComparison.Ordinal), DdpmScheduler);
        Refused.With(message, () => DiffusersFolder.Describe(folder, new ModelReadOptions()).Config.BuildNetwork().Dispose());
    }

    [Theory]
    [InlineData("""{"_class_name":"DDPMScheduler","beta_schedule":"sigmoid"}""", "beta_schedule")]
    [InlineData("""{"_class_name":"DDPMScheduler","beta_schedule":"linear","prediction_type":"flow"}""", "prediction_type")]
    [InlineData("""{"_class_name":"DDPMScheduler","beta_schedule":"linear","num_train_timesteps":1e9}""", "num_train_timesteps")]
    [InlineData("""{"_class_name":"DDPMScheduler","beta_schedule":"linear","beta_end":7}""", "beta_end")]
    [InlineData("""{"_class_name":"DDPMScheduler","beta_schedule":"linear","rescale_betas_zero_snr":true}""", "rescale_betas_zero_snr")]
    [InlineData("""{"_class_name":"DDPMScheduler","beta_schedule":"linear","trained_betas":[0.1]}""", "trained_betas")]
    [InlineData("""{"_class_name":"FlowMatchLCMScheduler"}""", "FlowMatchLCMScheduler")]
    [InlineData("""{"_class_name":"ScoreSdeVeScheduler","sigma_max":1348}""", "ScoreSdeVeScheduler")]
    [InlineData("""{"_class_name":"EulerDiscreteScheduler","use_flow_sigmas":true}""", "use_flow_sigmas is true")]
    [InlineData("""{"_class_name":"DDIMScheduler","snr_shift_scale":3.0}""", "snr_shift_scale is 3.0")]
    [InlineData("""{"_class_name":"EulerDiscreteScheduler","timestep_type":"odd"}""", "timestep_type is 'odd'")]
    [InlineData("""{"_class_name":"DDPMScheduler","beta_end":-Infinity}""", "beta_end is")]
    [InlineData("[]", "not valid")]
    public void Unknown_schedulers_are_refused_by_their_key(string scheduler, string message)
    {
        string folder = Write(Ddpm, scheduler);
        Refused.With(message, () => DiffusersFolder.Describe(folder, new ModelReadOptions()).Config.Preconditioning.Build());
    }

    [Fact]
    public void Missing_parts_are_named()
    {
        string folder = Write(Ddpm, DdpmScheduler);
        Refused.With("diffusion_pytorch_model.safetensors", () => ModelSource.Open(folder));
        Refused.With("no scheduler", () => DiffusersFolder.Describe(Write(Consistency, null), new ModelReadOptions()));
        Assert.NotEmpty(DiffusersFolder.Describe(Write(Ddpm, null), new ModelReadOptions()).Remarks);
        Refused.With("time steps", () => DiffusersFolder.Describe(folder, new ModelReadOptions { TimeSteps = 5 }));
        using var few = zeros(3);
        string lacking = Write(Ddpm, DdpmScheduler, new Dictionary<string, Tensor> { ["conv_in.bias"] = few });
        Refused.With("lacks", () => ModelSource.Open(lacking));
    }

    // A small network with its folder and its tensors.
    private (string Folder, Dictionary<string, Tensor> State) Tiny(string? scheduler = null)
    {
        using var reference = new DiffusersReference([32, 64], [false, true], 1, 16, 1e-5, 16, false, 1, true, 0);
        reference.Forward(randn(1, 3, 16, 16), tensor(new[] { 3f }), null);
        string config = """
            {"_class_name":"UNet2DModel","sample_size":16,"block_out_channels":[32,64],"layers_per_block":1,"norm_num_groups":16,
            "attention_head_dim":16,"down_block_types":["DownBlock2D","AttnDownBlock2D"],"up_block_types":["AttnUpBlock2D","UpBlock2D"]}
            """;
        return (Write(config, scheduler ?? DdpmScheduler, reference.State), reference.State);
    }

    private static string Json(ModelConfig config) => JsonSerializer.Serialize(config with { Name = "" }, JsonFile.Options);

    private static string HashOf(string folder)
    {
        using var source = ModelSource.Open(folder);
        return source.Hash;
    }

    private string Write(string config, string? scheduler, IReadOnlyDictionary<string, Tensor>? tensors = null)
    {
        string folder = _folder.File(Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(Path.Combine(folder, "unet"));
        Directory.CreateDirectory(Path.Combine(folder, "scheduler"));
        File.WriteAllText(Path.Combine(folder, "unet", "config.json"), config);
        if (scheduler is not null)
            File.WriteAllText(Path.Combine(folder, "scheduler", "scheduler_config.json"), scheduler);
        if (tensors is not null)
            SafetensorsFile.Write(Path.Combine(folder, "unet", "diffusion_pytorch_model.safetensors"), tensors);
        return folder;
    }
}
