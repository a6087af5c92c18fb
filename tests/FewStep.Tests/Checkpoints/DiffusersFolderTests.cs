using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Noise;

namespace FewStep.Tests.Checkpoints;

public sealed class DiffusersFolderTests : IDisposable
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

    private readonly TemporaryFolder _folder = new();

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
        var (config, _, _, remark) = DiffusersFolder.Describe(
            Write(Consistency, """{"_class_name":"CMStochasticIterativeScheduler","num_train_timesteps":40,"sigma_min":0.002,"sigma_max":"""
                + """80.0,"sigma_data":0.5,"s_noise":1.0,"rho":7.0,"clip_denoised":true}"""), new ModelReadOptions());
        using var network = config.BuildNetwork();
        Assert.Equal(295.9, network.Layout.Count / 1e6, 1);
        Assert.Equal((1000, "consistency"), (config.Classes, config.Preconditioning.Kind));
        Assert.Equal([32, 16, 8], ((DhariwalUNetOptions)config.Network).AttnResolutions);
        Assert.Null(((DhariwalUNetOptions)config.Network).NormGroups);
        Assert.Contains("consistency", remark, StringComparison.Ordinal);
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
            Tensor x = randn(2, 3, 16, 16), sigma = tensor(new[] { 0.5f, 20f }), labels = tensor(new long[] { 1, 4 });
            Assert.Equal(original.Denoiser.Denoise(x, sigma, labels).data<float>().ToArray(),
                renamed.Denoiser.Denoise(x, sigma, labels).data<float>().ToArray());
        }

        foreach (Tensor tensor in state.Values)
            tensor.Dispose();
    }

    public static TheoryData<string, string, string> Unknowns => new()
    {
        { "act_fn\":\"silu", "act_fn\":\"gelu", "act_fn is 'gelu'" },
        { "\"DownBlock2D\",\"AttnDown", "\"SkipDownBlock2D\",\"AttnDown", "SkipDownBlock2D" },
        { "UNet2DModel", "UNet2DConditionModel", "_class_name" },
        { "\"freq_shift\":1", "\"freq_shift\":2", "freq_shift" },
        { "\"freq_shift\":1", "\"cross_attention_dim\":7", "cross_attention_dim" },
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
    [InlineData("""{"_class_name":"FlowMatchEulerDiscreteScheduler"}""", "FlowMatchEulerDiscreteScheduler")]
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
        Assert.NotNull(DiffusersFolder.Describe(Write(Ddpm, null), new ModelReadOptions()).Remark);
        Refused.With("time steps", () => DiffusersFolder.Describe(folder, new ModelReadOptions { TimeSteps = 5 }));
        using var few = zeros(3);
        string lacking = Write(Ddpm, DdpmScheduler, new Dictionary<string, Tensor> { ["conv_in.bias"] = few });
        Refused.With("lacks", () => ModelSource.Open(lacking));
    }

    public void Dispose() => _folder.Dispose();

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
