using System.Text.Json;
using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;

namespace FewStep.Tests.Checkpoints;

/// <summary>Autoencoders of latent pipelines against what diffusers computed with them.</summary>
public sealed class AutoencoderFolderTests : TensorFileTests
{
    [Fact]
    public void Images_and_moments_of_stable_diffusion()
    {
        using var autoencoder = AutoencoderFolder.Read(GoldenPipelines.At("sd15-tiny", "vae"));
        var golden = GoldenPipelines.Arrays("sd15-tiny", "vae.golden.npz");
        Assert.Equal(new ImageShape(3, 32, 48), autoencoder.ImagesOf(new ImageShape(4, 16, 24)));
        Refused.With("latents of 4 channels", () => autoencoder.ImagesOf(new ImageShape(16, 8, 8)));
        double scale = golden["scaling_factor"].Number();
        GoldenPipelines.Agrees(golden["image"], autoencoder.Decode(golden["latents"] * scale), GoldenPipelines.OfTrajectory);
        var (mean, logVariance) = autoencoder.Moments(golden["encode_image"]);
        GoldenPipelines.Agrees(golden["mean"], mean, GoldenPipelines.OfOneCall);
        GoldenPipelines.Agrees(golden["logvar"], logVariance, GoldenPipelines.OfOneCall);
        GoldenPipelines.Agrees(mean * scale, autoencoder.Encode(golden["encode_image"]), GoldenPipelines.OfOneCall);
        Assert.False(autoencoder.Decode(golden["latents"].requires_grad_()).requires_grad);
        Refused.With("multiples of 2", () => autoencoder.Encode(zeros(1, 3, 15, 16)));
    }

    [Fact]
    public void Attention_under_the_names_of_2022()
    {
        using var autoencoder = AutoencoderFolder.Read(GoldenPipelines.At("dit-tiny", "vae"));
        var golden = GoldenPipelines.Arrays("dit-tiny", "sampling-ddim4.golden.npz");
        GoldenPipelines.Agrees(golden["image"], autoencoder.Decode(golden["trajectory"][^1]), GoldenPipelines.OfTrajectory);
    }

    [Fact]
    public void Sixteen_channels_are_shifted_and_scaled_without_the_quantising_convolutions()
    {
        var options = new AutoencoderKlOptions
        {
            LatentChannels = 16,
            BlockChannels = [8, 16],
            NumBlocks = 1,
            NormGroups = 4,
            MiddleAttends = false,
            QuantConvolution = false,
            PostQuantConvolution = false,
        };
        string folder = _folder.File("vae");
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "config.json"), """
            {"_class_name":"AutoencoderKL","block_out_channels":[8,16],"down_block_types":["DownEncoderBlock2D","DownEncoderBlock2D"],
            "up_block_types":["UpDecoderBlock2D","UpDecoderBlock2D"],"latent_channels":16,"layers_per_block":1,"norm_num_groups":4,
            "mid_block_add_attention":false,"use_quant_conv":false,"use_post_quant_conv":false,"latents_mean":null,"latents_std":null,
            "scaling_factor":1.5305,"shift_factor":0.0609,"force_upcast":true,"sample_size":1024}
            """);
        var network = new AutoencoderKl(options);
        var weights = network.Layout.Initialize(1);
        SafetensorsFile.Write(Path.Combine(folder, "diffusion_pytorch_model.safetensors"),
            network.Layout.Specs.Zip(network.Layout.Views(weights)).ToDictionary(p => p.First.Name, p => p.Second));
        Assert.DoesNotContain(network.Layout.Specs, spec => spec.Name.Contains("quant") || spec.Name.Contains("attentions"));
        using var plain = new Autoencoder(options with { ScalingFactor = 1 }, network, weights);
        using var read = AutoencoderFolder.Read(folder);
        Tensor images = randn(2, 3, 8, 12), latents = randn(2, 16, 4, 6);
        GoldenPipelines.Agrees((plain.Moments(images).Mean - 0.0609) * 1.5305, read.Encode(images), 1e-6);
        GoldenPipelines.Agrees(plain.Decode((latents / 1.5305) + 0.0609), read.Decode(latents), 1e-6);
    }

    [Theory]
    [InlineData("sd", 83_653_863)]
    [InlineData("sd3", 83_819_683)]
    public void Published_configurations_have_as_many_weights_as_the_published_autoencoders(string name, long weights)
    {
        bool three = name == "sd3";
        string path = _folder.File("config.json");
        File.WriteAllText(path, $$"""
            {"_class_name":"AutoencoderKL","act_fn":"silu","block_out_channels":[128,256,512,512],"down_block_types":["DownEncoderBlock2D",
            "DownEncoderBlock2D","DownEncoderBlock2D","DownEncoderBlock2D"],"in_channels":3,"latent_channels":{{(three ? 16 : 4)}},
            "layers_per_block":2,"norm_num_groups":32,"out_channels":3,"sample_size":512,"up_block_types":["UpDecoderBlock2D",
            "UpDecoderBlock2D","UpDecoderBlock2D","UpDecoderBlock2D"]
            {{(three ? ",\"use_quant_conv\":false,\"use_post_quant_conv\":false" : "")}}}
            """);
        using var network = new AutoencoderKl(AutoencoderConfig.Read(path));
        Assert.Equal(weights, network.Layout.Count);
    }

    [Theory]
    [InlineData("act_fn", "\"relu\"", "act_fn is 'relu'")]
    [InlineData("latents_mean", "[0.1, 0.2, 0.3, 0.4]", "latents_mean is [0.1,0.2,0.3,0.4]")]
    [InlineData("up_block_types", "[\"UpDecoderBlock2D\", \"AttnUpDecoderBlock2D\"]", "AttnUpDecoderBlock2D")]
    [InlineData("scaling_factor", "0", "scaling_factor 0")]
    [InlineData("block_out_channels", "[16, 25]", "groups")]
    [InlineData("_class_name", "\"AutoencoderTiny\"", "an autoencoder (AutoencoderTiny); read is AutoencoderKL")]
    [InlineData("_class_name", "\"UNet2DConditionModel\"", "a U-Net conditioned on text")]
    public void What_could_change_the_output_is_refused_by_name_and_value(string key, string value, string message)
    {
        string path = _folder.File("config.json");
        var given = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(
            File.ReadAllText(GoldenPipelines.At("sd15-tiny", "vae", "config.json")))!;
        Assert.True(given.ContainsKey(key));
        given[key] = JsonDocument.Parse(value).RootElement;
        File.WriteAllText(path, JsonSerializer.Serialize(given));
        Refused.With(message, () => new AutoencoderKl(AutoencoderConfig.Read(path)).Dispose());
    }
}
