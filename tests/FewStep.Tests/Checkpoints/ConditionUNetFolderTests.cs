using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Tests.Networks;

namespace FewStep.Tests.Checkpoints;

/// <summary>U-Nets of text-to-image pipelines against what diffusers computed with them.</summary>
public sealed class ConditionUNetFolderTests : TensorFileTests
{
    private const string Config = "config.json";

    [Fact]
    public void Noise_predicted_by_stable_diffusion_1()
    {
        using var source = ConditionUNetFolder.Read(GoldenPipelines.Latents("sd15-tiny"));
        var golden = GoldenPipelines.Arrays("sd15-tiny", "unet.golden.npz");
        Tensor x = golden["sample"], context = golden["encoder_hidden_states"];
        var times = golden["timesteps"];
        for (int i = 0; i < times.shape[0]; i++)
        {
            Agree(golden["eps_cond"][i], Raw(source, x, times[i], new() { Context = context }));
            Agree(golden["eps_uncond"][i],
                Raw(source, x, times[i], new() { Context = golden["encoder_hidden_states_uncond"] }));
        }

        Agree(golden["eps_mixed"], Raw(source, x, golden["mixed_timesteps"], new() { Context = context }));
        Assert.Equal((14.6146, 0.0291672), (Math.Round(source.Denoiser.SigmaMax, 4), Math.Round(source.Denoiser.SigmaMin, 7)));
    }

    [Fact]
    public void Noise_predicted_by_stable_diffusion_xl()
    {
        using var source = ConditionUNetFolder.Read(GoldenPipelines.Latents("sdxl-tiny"));
        var golden = GoldenPipelines.Arrays("sdxl-tiny", "unet.golden.npz");
        var condition = new NetworkCondition
        {
            Context = golden["encoder_hidden_states"],
            Pooled = golden["text_embeds"],
            Sizes = golden["time_ids"],
        };
        var times = golden["timesteps"];
        for (int i = 0; i < times.shape[0]; i++)
            Agree(golden["output"][i], Raw(source, golden["sample"], times[i], condition));
        Refused.With("sizes of the image", () => Raw(source, golden["sample"], times[0], condition with { Sizes = null }));
        Refused.With("takes [2,length,32]", () => Raw(source, golden["sample"], times[0], condition with
        { Context = condition.Context.narrow(2, 0, 30) }));
        Refused.With("no text embedding", () => Raw(source, golden["sample"], times[0], null));
    }

    [Fact]
    public void Latent_consistency_models_are_told_their_guidance_scale()
    {
        using var source = ConditionUNetFolder.Read(GoldenPipelines.Latents("lcm-tiny"));
        var golden = GoldenPipelines.Arrays("lcm-tiny", "unet.golden.npz");
        var condition = new NetworkCondition
        {
            Context = golden["encoder_hidden_states"],
            GuidanceScale = golden["w"],
        };
        var times = golden["timesteps"];
        for (int i = 0; i < times.shape[0]; i++)
            Agree(golden["output"][i], Raw(source, golden["sample"], times[i], condition));
        Assert.Contains("latent consistency", source.Remarks[^1], StringComparison.Ordinal);
        Refused.With("guidance scale", () => Raw(source, golden["sample"], times[0], condition with { GuidanceScale = null }));
    }

    [Fact]
    public void Velocity_and_images_of_stable_diffusion_2()
    {
        using var source = ConditionUNetFolder.Read(GoldenPipelines.Latents("sd2-v-tiny"));
        var golden = GoldenPipelines.Arrays("sd2-v-tiny", "unet.golden.npz");
        var preconditioning = (DiscreteVpPreconditioning)source.Denoiser.Preconditioning;
        Assert.Equal(NetworkPrediction.V, preconditioning.Prediction);
        Tensor x = golden["sample"];
        var condition = new NetworkCondition { Context = golden["encoder_hidden_states"] };
        var times = golden["timesteps"];
        for (int i = 0; i < times.shape[0]; i++)
        {
            Agree(golden["v"][i], Raw(source, x, times[i], condition));
            double sigma = preconditioning.Noise.Sigmas[(int)times[i].item<long>()];
            Agree(golden["x0"][i], source.Denoiser.DenoiseAt(x * Math.Sqrt(1 + (sigma * sigma)), sigma, null));
        }
    }

    [Fact]
    public void Every_weight_has_a_gradient_and_it_is_the_slope()
    {
        using var source = ConditionUNetFolder.Read(GoldenPipelines.Latents("sdxl-tiny"));
        var golden = GoldenPipelines.Arrays("sdxl-tiny", "unet.golden.npz");
        var condition = new NetworkCondition
        {
            Context = golden["encoder_hidden_states"],
            Pooled = golden["text_embeds"],
            Sizes = golden["time_ids"],
        };
        var layout = source.Denoiser.Layout;
        Tensor Loss(Tensor weights) => source.Denoiser.Network.Forward(ForwardPass.Over(layout, weights, ScalarType.Float32),
            golden["sample"], tensor(new[] { 250f, 250.5f }), condition).square().mean();
        var leaf = source.Denoiser.Weights.clone().requires_grad_();
        Loss(leaf).backward();
        Tensor gradient = leaf.grad!;
        Assert.Empty(layout.Specs.Zip(layout.Views(gradient))
            .Where(p => !p.Second.isfinite().all().item<bool>() || p.Second.abs().max().item<float>() == 0).Select(p => p.First.Name));
        using var generator = new Generator(3);
        var direction = randn(gradient.shape, generator: generator);
        using var noGradient = no_grad();
        const double Step = 2e-4;
        double slope = (Loss(leaf + (direction * Step)) - Loss(leaf - (direction * Step))).item<float>() / (2 * Step);
        double expected = gradient.dot(direction).item<float>();
        Assert.InRange(slope, expected - (0.02 * Math.Abs(expected)), expected + (0.02 * Math.Abs(expected)));
    }

    [Fact]
    public void A_model_folder_keeps_such_a_network_and_bfloat16_is_near()
    {
        using var source = ConditionUNetFolder.Read(GoldenPipelines.Latents("lcm-tiny"));
        ModelFolder.Write(_folder.File("model"), source.Config, source.Denoiser, source.Denoiser.Weights);
        var (config, copy) = ModelFolder.Read(_folder.File("model"));
        using (copy)
        {
            Assert.Equal(32, ((ConditionUNetOptions)config.Network).GuidanceChannels);
            Assert.Equal(source.Denoiser.Weights.data<float>().ToArray(), copy.Weights.data<float>().ToArray());
            var golden = GoldenPipelines.Arrays("lcm-tiny", "unet.golden.npz");
            var condition = new NetworkCondition
            {
                Context = golden["encoder_hidden_states"],
                GuidanceScale = golden["w"],
            };
            var half = copy.Network.Forward(ForwardPass.Over(copy.Layout, copy.Weights, ScalarType.BFloat16),
                golden["sample"].to(ScalarType.BFloat16), golden["timesteps"][1].expand(2), condition);
            Assert.Equal(ScalarType.BFloat16, half.dtype);
            GoldenPipelines.Agrees(golden["output"][1], half.to(ScalarType.Float32), 0.05);
        }
    }

    [Fact]
    public void The_layers_that_a_lora_adapts_are_those_of_the_published_files()
    {
        using var network = ((INetworkOptions)ConditionUNetConfig.Read(GoldenPipelines.At("sd15-tiny", "unet", Config))).Build();
        string[] layers = [.. network.Layout.Adapted(LoraLayers.Attention | LoraLayers.FeedForward).Select(p => p.Layer)];
        Assert.All(network.Layout.Adapted(LoraLayers.All), p => Assert.Equal(p.Layer + ".weight", network.Layout.Specs[p.Index].Name));
        // Four transformers of one block: two projections, eight of attention, two of the feed-forward network.
        Assert.Equal(4 * 12, layers.Length);
        Assert.Contains("down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q", layers);
        Assert.Contains("mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0", layers);
        Assert.Contains("up_blocks.1.attentions.1.transformer_blocks.0.ff.net.0.proj", layers);
        Assert.Contains("up_blocks.1.attentions.1.proj_out", layers);
        // What LCM-LoRAs have beside it: eight residual blocks, six of them with a shortcut; a change of size each way.
        string[] further = [.. network.Layout.Adapted(LoraLayers.Convolutions | LoraLayers.TimeProjections).Select(p => p.Layer)];
        Assert.Equal(further.Length, further.Except(layers).Count());
        Assert.Contains("down_blocks.0.resnets.0.conv1", further);
        Assert.Contains("mid_block.resnets.1.time_emb_proj", further);
        Assert.Contains("up_blocks.0.upsamplers.0.conv", further);
        Assert.Contains("down_blocks.0.downsamplers.0.conv", further);
        Assert.Contains("up_blocks.1.resnets.1.conv_shortcut", further);
        Assert.DoesNotContain("conv_in", further);
    }

    [Theory]
    [InlineData("sd-1.5", 859_520_964)]
    [InlineData("sd-2.1", 865_910_724)]
    [InlineData("sdxl", 2_567_463_684)]
    [InlineData("lcm-dreamshaper", 859_602_884)]
    public void Published_configurations_have_as_many_weights_as_the_published_networks(string name, long weights)
    {
        string path = _folder.File(Config);
        File.WriteAllText(path, Published[name]);
        using var network = ((INetworkOptions)ConditionUNetConfig.Read(path)).Build();
        Assert.Equal(weights, network.Layout.Count);
    }

    [Theory]
    [InlineData("\"act_fn\": \"silu\"", "\"act_fn\": \"gelu\"", "act_fn is 'gelu'")]
    [InlineData("\"class_embed_type\": null", "\"class_embed_type\": \"timestep\"", "class_embed_type is \"timestep\"")]
    [InlineData("\"only_cross_attention\": false", "\"only_cross_attention\": [true, false]", "only_cross_attention is [true,false]")]
    [InlineData("\"in_channels\": 4", "\"in_channels\": 9", "in_channels is 9; known is as many as out_channels, 4")]
    [InlineData("\"attention_head_dim\": 4", "\"attention_head_dim\": [4, 4, 4]", "attention_head_dim is [4,4,4]")]
    [InlineData("\"attention_head_dim\": 4", "\"attention_head_dim\": 7", "cannot be divided among 7 attention heads")]
    [InlineData("\"layers_per_block\": 1", "\"layers_per_block\": 100000", "num_blocks 100000")]
    [InlineData("\"transformer_layers_per_block\": 1", "\"transformer_layers_per_block\": [[1], [2]]", "transformer_layers_per_block is")]
    [InlineData("\"encoder_hid_dim\": null", "\"encoder_hid_dim\": 1024", "encoder_hid_dim is 1024")]
    [InlineData("\"CrossAttnDownBlock2D\"", "\"SimpleCrossAttnDownBlock2D\"", "SimpleCrossAttnDownBlock2D")]
    [InlineData("\"addition_embed_type\": null", "\"addition_embed_type\": \"image\"", "addition_embed_type is 'image'")]
    [InlineData("\"_class_name\"", "\"freeu\": 3, \"_class_name\"", "freeu is 3")]
    [InlineData("UNet2DConditionModel", "FluxTransformer2DModel", "FluxTransformer2DModel")]
    public void What_could_change_the_output_is_refused_by_name_and_value(string known, string unknown, string message)
    {
        string given = File.ReadAllText(GoldenPipelines.At("sd15-tiny", "unet", Config)), path = _folder.File(Config);
        Assert.Contains(known, given, StringComparison.Ordinal);
        File.WriteAllText(path, given.Replace(known, unknown, StringComparison.Ordinal));
        Refused.With(message, () => ((INetworkOptions)ConditionUNetConfig.Read(path)).Build().Dispose());
    }

    [Fact]
    public void Another_network_s_weights_and_a_missing_scheduler_are_refused()
    {
        string unet = Directory.CreateDirectory(_folder.File("unet")).FullName;
        foreach (string file in new[] { Config, "diffusion_pytorch_model.safetensors" })
            File.Copy(GoldenPipelines.At("sd15-tiny", "unet", file), Path.Combine(unet, file));
        Refused.With("scheduler_config.json", () => ConditionUNetFolder.Read(new(new(_folder.File(""), unet), new())));
        string scheduler = Directory.CreateDirectory(_folder.File("scheduler")).FullName;
        File.Copy(GoldenPipelines.At("sd15-tiny", "scheduler", "scheduler_config.json"), Path.Combine(scheduler, "scheduler_config.json"));
        File.Copy(GoldenPipelines.At("lcm-tiny", "unet", Config), Path.Combine(unet, Config), overwrite: true);
        Refused.With("its architecture", () => ConditionUNetFolder.Read(new(new(_folder.File(""), unet), new())));
    }

    private static readonly Dictionary<string, string> Published = new()
    {
        ["sd-1.5"] = """
            {"_class_name":"UNet2DConditionModel","_diffusers_version":"0.6.0","act_fn":"silu","attention_head_dim":8,
            "block_out_channels":[320,640,1280,1280],"center_input_sample":false,"cross_attention_dim":768,
            "down_block_types":["CrossAttnDownBlock2D","CrossAttnDownBlock2D","CrossAttnDownBlock2D","DownBlock2D"],
            "downsample_padding":1,"flip_sin_to_cos":true,"freq_shift":0,"in_channels":4,"layers_per_block":2,"mid_block_scale_factor":1,
            "norm_eps":1e-05,"norm_num_groups":32,"out_channels":4,"sample_size":64,
            "up_block_types":["UpBlock2D","CrossAttnUpBlock2D","CrossAttnUpBlock2D","CrossAttnUpBlock2D"]}
            """,
        ["sd-2.1"] = """
            {"_class_name":"UNet2DConditionModel","attention_head_dim":[5,10,20,20],"block_out_channels":[320,640,1280,1280],
            "cross_attention_dim":1024,"dual_cross_attention":false,"num_class_embeds":null,"only_cross_attention":false,
            "sample_size":96,"upcast_attention":true,"use_linear_projection":true}
            """,
        ["sdxl"] = """
            {"_class_name":"UNet2DConditionModel","addition_embed_type":"text_time","addition_time_embed_dim":256,
            "attention_head_dim":[5,10,20],"block_out_channels":[320,640,1280],"cross_attention_dim":2048,
            "down_block_types":["DownBlock2D","CrossAttnDownBlock2D","CrossAttnDownBlock2D"],
            "projection_class_embeddings_input_dim":2816,"sample_size":128,"transformer_layers_per_block":[1,2,10],
            "up_block_types":["CrossAttnUpBlock2D","CrossAttnUpBlock2D","UpBlock2D"],"use_linear_projection":true}
            """,
        ["lcm-dreamshaper"] = """
            {"_class_name":"UNet2DConditionModel","attention_head_dim":8,"cross_attention_dim":768,"sample_size":96,
            "time_cond_proj_dim":256}
            """,
    };

    private static Tensor Raw(ModelSource source, Tensor x, Tensor times, NetworkCondition? condition)
    {
        source.Denoiser.Conditions = condition is null ? new ClassConditions(0) : new GivenConditions(condition);
        return source.Denoiser.Raw(x, times.to(ScalarType.Float32).expand(x.shape[0]), null);
    }

    private static void Agree(Tensor expected, Tensor actual) => GoldenPipelines.Agrees(expected, actual, GoldenPipelines.OfOneCall);
}
