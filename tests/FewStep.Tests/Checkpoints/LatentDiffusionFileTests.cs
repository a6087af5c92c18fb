using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Models;
using FewStep.Onnx;

namespace FewStep.Tests.Checkpoints;

/// <summary>Stable Diffusion in one file, held against the folder with the same weights.</summary>
public sealed class LatentDiffusionFileTests : TensorFileTests
{
    private static readonly ModelOptions Prompted = new()
    { Prompts = ["a photo of an astronaut riding a horse on mars", "a cat"], ComputeType = float32, Device = DeviceChoice.Cpu };

    [Theory]
    [InlineData("1", ScalarType.Float32, false)]
    [InlineData("1", ScalarType.Float16, true)]
    [InlineData("2", ScalarType.Float16, false)]
    [InlineData("xl", ScalarType.Float16, false)]
    public void All_parts_are_those_of_the_folder_to_the_last_bit(string kind, ScalarType type, bool bare)
    {
        string whole = OneFile.Pipeline(_folder.File("whole"), kind, type), described = OneFile.WithoutWeights(_folder.File("empty"), kind);
        string path = OneFile.Of(whole, _folder.File("tuned.safetensors"), bare: bare);
        using Model folder = Model.Open(whole, Prompted),
            file = Model.Open(path, Prompted with { Checkpoint = new() { Pipeline = described } });
        Assert.Equal(("tuned", folder.Config.Preconditioning), (file.Config.Name, file.Config.Preconditioning));
        Assert.EndsWith($"are read from {path}.", file.Remarks[0], StringComparison.Ordinal);
        Same(folder.Network!.Weights, file.Network!.Weights);
        Assert.NotEqual(folder.Hash, file.Hash);
        var (expected, told) = (Told(folder), Told(file));
        Same(expected.Context!, told.Context!);
        Assert.Equal(kind == "xl", told.Pooled is not null);
        if (kind == "xl")
            Same(expected.Pooled!, told.Pooled!);
        var sampler = folder.CreateSampler("karras", "euler", 1);
        using Samples one = folder.Sample(2, sampler), other = file.Sample(2, sampler);
        Same(one.Latents!, other.Latents!);
        Same(one.Images, other.Images);
        Same(folder.Autoencoder!.EncodeAll(one.Images.clamp(-1, 1)), file.Autoencoder!.EncodeAll(one.Images.clamp(-1, 1)));
    }

    [Fact]
    public void What_the_file_lacks_is_the_folder_s_and_a_remark_says_so()
    {
        string whole = OneFile.Pipeline(_folder.File("whole"), "1");
        string path = OneFile.Of(whole, _folder.File("part.safetensors"), all => Without(all, "first_stage_model."));
        using (var file = ModelSource.Open(path, new() { Pipeline = whole }))
        {
            Assert.NotNull(file.Autoencoder);
            Assert.Equal($"Weights of network, text_encoder are read from {path}, of autoencoder from {whole}.", file.Remarks[0]);
        }

        OneFile.Of(whole, path, all =>
        {
            Without(all, "first_stage_model.");
            Without(all, "cond_stage_model.");
        });
        using (var network = Model.Open(path, Prompted with { Checkpoint = new() { Pipeline = whole } }))
            network.Save(_folder.File("saved"));
        using (Model saved = Model.Open(_folder.File("saved"), Prompted), folder = Model.Open(whole, Prompted))
        {
            Same(folder.Network!.Weights, saved.Network!.Weights);
            Same(Told(folder).Context!, Told(saved).Context!);
        }

        OneFile.Of(whole, path, all => Without(all, "cond_stage_model."));
        Directory.Delete(Path.Combine(whole, "vae"), recursive: true);
        using (var file = ModelSource.Open(path, new() { Pipeline = whole }))
        {
            Assert.Null(file.Autoencoder);
            Assert.Equal($"Weights of network are read from {path}, of text_encoder from {whole}; its autoencoder not, as {whole} does not "
                + "describe such.", file.Remarks[0]);
        }
    }

    [Fact]
    public void The_moving_average_is_read_when_it_is_asked_for()
    {
        string whole = OneFile.Pipeline(_folder.File("whole"), "1");
        string path = OneFile.Of(whole, _folder.File("both.safetensors"), all =>
        {
            foreach (string name in all.Keys.Where(n => n.StartsWith("model.", StringComparison.Ordinal)).ToList())
            {
                all["model_ema." + name["model.".Length..].Replace(".", "")] = all[name];
                all[name] = zeros_like(all[name]);
            }

            all["model_ema.decay"] = ones([]);
            all["model_ema.num_updates"] = ones([], dtype: ScalarType.Int32);
        });
        using (ModelSource folder = ModelSource.Open(whole),
            average = ModelSource.Open(path, new() { Pipeline = whole, Section = "ema" }),
            plain = ModelSource.Open(path, new() { Pipeline = whole }))
        {
            Same(folder.Denoiser.Weights, average.Denoiser.Weights);
            Assert.Equal(0, plain.Denoiser.Weights.abs().sum().item<float>());
            Assert.Contains("which is read as the section ema", plain.Remarks[1], StringComparison.Ordinal);
            Same(folder.Autoencoder!.Weights, average.Autoencoder!.Weights);
            Assert.NotEqual(average.Hash, plain.Hash);
        }

        OneFile.Of(whole, path, all => all["model_ema.diffusion_modelout0weight"] = ones(1));
        Refused.With("its moving average lacks", () => ModelSource.Open(path, new() { Pipeline = whole, Section = "ema" }).Dispose());
        OneFile.Of(whole, path);
        Refused.With("holds no tensors under 'ema'", () => ModelSource.Open(path, new() { Pipeline = whole, Section = "ema" }).Dispose());
    }

    [Fact]
    public void Loras_are_fused_and_ONNX_is_written_as_of_the_folder()
    {
        string whole = GoldenPipelines.At("sd15-tiny"), described = OneFile.WithoutWeights(_folder.File("empty"), "1");
        string path = OneFile.Of(whole, _folder.File("tiny.safetensors"));
        (string, double)[] lora = [(GoldenPipelines.At("sd15-tiny", "lora", "kohya.safetensors"), 1)];
        using Model fused = Model.Open(whole, Prompted with { Checkpoint = new() { Loras = lora } }),
            file = Model.Open(path, Prompted with { Checkpoint = new() { Pipeline = described, Loras = lora } });
        Same(fused.Network!.Weights, file.Network!.Weights);
        Same(Told(fused).Context!, Told(file).Context!);
        OnnxExport.WritePipeline(file, _folder.File("onnx"), null);
        using var onnx = Model.Open(_folder.File("onnx"), Prompted);
        var sampler = file.CreateSampler("karras", "euler", 1);
        using Samples one = file.Sample(1, sampler), other = onnx.Sample(1, sampler);
        GoldenPipelines.Agrees(one.Images, other.Images, 1e-4);
    }

    [Fact]
    public void What_has_no_place_is_refused_by_name()
    {
        string whole = OneFile.Pipeline(_folder.File("whole"), "2"), path = _folder.File("odd.safetensors");
        void Holds(string part, Action<Dictionary<string, Tensor>> change)
        {
            OneFile.Of(whole, path, change);
            Refused.With(part, () =>
            {
                using var file = Model.Open(path, Prompted with { Checkpoint = new() { Pipeline = whole } });
                Told(file);
            });
        }

        Holds("'model.diffusion_model.label_emb.0.0.weight', for which the network",
            all => all["model.diffusion_model.label_emb.0.0.weight"] = ones(1));
        Holds("'control_model.zero_convs.0.0.weight', which belongs neither", all => all["control_model.zero_convs.0.0.weight"] = ones(1));
        Holds("'first_stage_model.loss.logvar', which its architecture", all => all["first_stage_model.loss.logvar"] = ones(1));
        Holds("lacks 'decoder.up_blocks.1.resnets.0.conv1.weight'",
            all => all.Remove("first_stage_model.decoder.up.0.block.0.conv1.weight"));
        Holds("'cond_stage_model.model.visual.proj', which belongs neither", all => all["cond_stage_model.model.visual.proj"] = ones(1));
        Holds("'text_model.encoder.layers.3.layer_norm1.weight', which its architecture",
            all => all["cond_stage_model.model.transformer.resblocks.3.ln_1.weight"] = ones(32));
        Holds("lacks 'text_model.encoder.layers.0.self_attn.q_proj.bias'",
            all => all.Remove("cond_stage_model.model.transformer.resblocks.0.attn.in_proj_bias"));
        Holds("two text encoders for one place", all => all["cond_stage_model.transformer.text_model.final_layer_norm.bias"] = ones(32));
        Holds("says by 'v_pred' or 'ztsnr'", all => all["ztsnr"] = zeros(0));
        OneFile.Of(whole, path, all => all["v_pred"] = zeros(0));
        ModelSource.Open(path, new() { Pipeline = whole }).Dispose();
        Refused.With("in one file. Give the folder of a diffusers pipeline", () => ModelSource.Open(path));
        Refused.With("is no diffusers pipeline of Stable Diffusion",
            () => ModelSource.Open(path, new() { Pipeline = GoldenPipelines.At("dit-tiny") }));
        Refused.With("leave the other file", () => ModelSource.Open(path, new() { Pipeline = whole, PipelineFile = path }));
        Refused.With("which do not say how they are built", () => ModelSource.Open(whole, new() { PipelineFile = path }));
    }

    private static void Same(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True(expected.eq(actual).all().item<bool>());
    }

    private static FewStep.Networks.NetworkCondition Told(Model model) => model.Prompts!.Of(tensor([0L, 1, -1]), 3, CPU, float32);

    private static void Without(Dictionary<string, Tensor> all, string prefix)
        => all.Keys.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).ToList().ForEach(name => all.Remove(name));
}
