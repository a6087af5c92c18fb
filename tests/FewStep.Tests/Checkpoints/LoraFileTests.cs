using FewStep.Checkpoints;

namespace FewStep.Tests.Checkpoints;

public sealed class LoraFileTests : TensorFileTests
{
    private const string Key = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_k.lora.";

    [Fact]
    public void The_names_of_diffusers_PEFT_and_processors_say_the_same()
    {
        using var one = Fused("pytorch_lora_weights.safetensors", 0.5);
        foreach (string other in new[] { "peft-names.safetensors", "processor-names.safetensors" })
        {
            using var two = Fused(other, 0.5);
            Assert.All(one, entry => Assert.True(entry.Value.equal(two[entry.Key]).all().item<bool>(), entry.Key));
        }

        using var before = Unet();
        Tensor up = Tensors("pytorch_lora_weights.safetensors")[Key + "up.weight"];
        Tensor down = Tensors("pytorch_lora_weights.safetensors")[Key + "down.weight"];
        string name = Key["unet.".Length..^"lora.".Length] + "weight";
        Assert.InRange(GoldenPipelines.Difference(before[name] + (0.5 * up.mm(down)), one[name]), 0, 1e-6);
        Assert.Equal(32, one.Count(entry => !entry.Value.equal(before[entry.Key]).all().item<bool>()));
    }

    [Fact]
    public void Kohyas_convolutions_alphas_and_text_encoders_are_understood()
    {
        using var fused = Fused("kohya-with-convolutions.safetensors", 1);
        using var before = Unet();
        const string Module = "lora_unet_mid_block_resnets_0_conv1";
        var tensors = Tensors("kohya-with-convolutions.safetensors");
        Tensor up = tensors[Module + ".lora_up.weight"], down = tensors[Module + ".lora_down.weight"];
        double strength = tensors[Module + ".alpha"].item<float>() / 3;
        Tensor product = einsum("or,rihw->oihw", up.flatten(1), down) * strength;
        Tensor weight = before["mid_block.resnets.0.conv1.weight"];
        Assert.InRange(GoldenPipelines.Difference(weight + product, fused["mid_block.resnets.0.conv1.weight"]), 0, 1e-6);

        using var kohya = LoraFile.Read(Golden("kohya.safetensors"));
        Assert.Equal([LoraPart.Denoiser, LoraPart.TextEncoder], kohya.Parts);
        Refused.With("of a text encoder, which the model has not", () => kohya.RefuseAllBut(LoraPart.Denoiser));
        kohya.RefuseAllBut(LoraPart.Denoiser, LoraPart.TextEncoder);
        kohya.Fuse(fused, LoraPart.Denoiser, 0.3);
    }

    [Fact]
    public void Kohyas_names_of_XL_are_those_of_latent_diffusion()
    {
        var tensors = Tensors("kohya-with-convolutions.safetensors").ToDictionary(entry => entry.Key
            .Replace("unet_mid_block_attentions_0", "unet_middle_block_1", StringComparison.Ordinal)
            .Replace("unet_down_blocks_1_resnets_0_conv_shortcut", "unet_input_blocks_3_0_skip_connection", StringComparison.Ordinal)
            .Replace("unet_up_blocks_1_attentions_1", "unet_output_blocks_3_1", StringComparison.Ordinal)
            .Replace("unet_up_blocks_0_upsamplers_0_conv", "unet_output_blocks_1_1_conv", StringComparison.Ordinal), entry => entry.Value);
        string path = _folder.File("xl.safetensors");
        SafetensorsFile.Write(path, tensors);
        using var lora = LoraFile.Read(path);
        using var unet = Unet();
        lora.Fuse(unet, LoraPart.Denoiser, 1);
        using var expected = Fused("kohya-with-convolutions.safetensors", 1);
        Assert.All(expected, entry => Assert.True(entry.Value.equal(unet[entry.Key]).all().item<bool>(), entry.Key));

        // Stable Diffusion 1's four levels of two layers, the last without attention, as its checkpoint names them.
        List<string> modules = [.. Enumerable.Range(0, 4).SelectMany(i => Enumerable.Range(0, 2)
            .Select(j => $"down_blocks.{i}.resnets.{j}.conv1")
            .Concat(Enumerable.Range(0, 3).Select(j => $"up_blocks.{i}.resnets.{j}.conv1")))];
        modules.AddRange(Enumerable.Range(0, 3).Select(i => $"down_blocks.{i}.downsamplers.0.conv"));
        modules.AddRange(Enumerable.Range(1, 3).Select(i => $"up_blocks.{i}.attentions.2.proj_in"));
        var names = new LatentDiffusionNames(modules);
        Assert.Equal(["input_blocks_1_1_proj_in", "input_blocks_3_0_op", "input_blocks_8_1_proj_out", "input_blocks_11_0_in_layers_2",
            "middle_block_2_out_layers_3", "output_blocks_2_1_conv", "output_blocks_3_1_norm", "output_blocks_5_2_conv",
            "output_blocks_11_1_transformer_blocks_0_attn2_to_out_0", "time_embed_2"],
            new[] { "down_blocks.0.attentions.0.proj_in", "down_blocks.0.downsamplers.0.conv", "down_blocks.2.attentions.1.proj_out",
                "down_blocks.3.resnets.1.conv1", "mid_block.resnets.1.conv2", "up_blocks.0.upsamplers.0.conv",
                "up_blocks.1.attentions.0.norm", "up_blocks.1.upsamplers.0.conv",
                "up_blocks.3.attentions.2.transformer_blocks.0.attn2.to_out.0", "time_embedding.linear_2" }
                .Select(module => names.Of(module)!));
    }

    [Fact]
    public void What_is_not_understood_or_does_not_fit_is_refused_by_name()
    {
        var tensors = Tensors("pytorch_lora_weights.safetensors");
        Tensor down = tensors[Key + "down.weight"];
        void With(string part, Action<Dictionary<string, Tensor>> change, Dictionary<string, string>? metadata = null)
        {
            var changed = new Dictionary<string, Tensor>(tensors);
            change(changed);
            string path = _folder.File("l.safetensors");
            SafetensorsFile.Write(path, changed, metadata);
            Refused.With(part, () =>
            {
                using var lora = LoraFile.Read(path);
                using var unet = Unet();
                lora.Fuse(unet, LoraPart.Denoiser, 1);
            });
        }

        With("'unet.x.lora_mid.weight'", t => t["unet.x.lora_mid.weight"] = down);
        With("'unet.x.lora_magnitude_vector'", t => t["unet.x.lora_magnitude_vector"] = down);
        With("only one half", t => t.Remove(Key + "up.weight"));
        With("'down_blocks.9.to_k', which the model has not",
            t => (t["unet.down_blocks.9.to_k.lora.down.weight"], t["unet.down_blocks.9.to_k.lora.up.weight"]) = (down, down.t()));
        With("says twice", t => t[Key.Replace("lora.", "lora_A.weight", StringComparison.Ordinal)] = down);
        With("the model's weight [16,16]", t => (t[Key + "down.weight"], t[Key + "up.weight"]) = (ones(4, 8), ones(16, 4)));
        With("no product", t => t[Key + "down.weight"] = ones(3, 16));
        With("no single number", t => t[Key.Replace("lora.", "alpha", StringComparison.Ordinal)] = ones(2));
        With("its alpha is no number", t => t[Key.Replace("lora.", "alpha", StringComparison.Ordinal)] = full([], double.NaN));
        With("unet.use_dora is true", _ => { }, new() { ["lora_adapter_metadata"] = """{"unet.r": 4, "unet.use_dora": true}""" });
        With("lora_alpha is no number", _ => { }, new() { ["lora_adapter_metadata"] = """{"unet.lora_alpha": "x"}""" });
        With("its lora_adapter_metadata is not valid", _ => { }, new() { ["lora_adapter_metadata"] = "{" });
        Refused.With("holds", () => LoraFile.Read(GoldenPipelines.At("sd15-tiny", "text_encoder", "model.safetensors")));
    }

    [Fact]
    public void PEFTs_alpha_beside_the_tensors_counts()
    {
        string path = _folder.File("l.safetensors");
        using var expected = Fused("pytorch_lora_weights.safetensors", 0.5);
        void Same()
        {
            using var lora = LoraFile.Read(path);
            using var half = Unet();
            lora.Fuse(half, LoraPart.Denoiser, 1);
            Assert.All(expected, entry => Assert.True(entry.Value.equal(half[entry.Key]).all().item<bool>(), entry.Key));
        }

        const string Peft = """{"unet.r": 4, "unet.lora_alpha": 2, "unet.alpha_pattern": {}}""";
        SafetensorsFile.Write(path, Tensors("pytorch_lora_weights.safetensors"),
            new Dictionary<string, string> { ["lora_adapter_metadata"] = Peft });
        Same();

        SafetensorsFile.Write(path, Tensors("peft-names.safetensors")
            .ToDictionary(entry => entry.Key.Replace("unet.", "base_model.model.", StringComparison.Ordinal), entry => entry.Value));
        Refused.With("Put that file beside it", () => LoraFile.Read(path));
        File.WriteAllText(_folder.File("adapter_config.json"), """{"peft_type": "LORA", "r": 4, "lora_alpha": 2, "use_dora": false}""");
        Same();
    }

    private static TensorsByName Fused(string name, double scale)
    {
        using var lora = LoraFile.Read(Golden(name));
        lora.RefuseAllBut(LoraPart.Denoiser);
        var unet = Unet();
        lora.Fuse(unet, LoraPart.Denoiser, scale);
        return unet;
    }

    private static string Golden(string name) => GoldenPipelines.At("sd15-tiny", "lora", name);

    private static Dictionary<string, Tensor> Tensors(string name) => SafetensorsFile.Read(Golden(name)).Tensors;

    private static TensorsByName Unet() => DiffusersWeights.Find(GoldenPipelines.At("sd15-tiny", "unet"), null).Read();
}
