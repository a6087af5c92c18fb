namespace FewStep.Checkpoints;

/// <summary>What networks that are not read here are called, so that they are refused by what they are.</summary>
internal static class OtherNetworks
{
    // Beginnings of classes' names in diffusers and transformers, the more special ones first.
    private static readonly (string Class, string What)[] Classes =
    [
        ("UNet2DConditionModel", "a U-Net conditioned on text"),
        ("UNet1D", "a U-Net for sequences"),
        ("UNet", "another kind of U-Net"),
        ("DiTTransformer", "a DiT transformer"),
        ("SD3Transformer", "a Stable Diffusion 3 transformer"),
        ("FluxTransformer", "a Flux transformer"),
        ("PixArt", "a PixArt transformer"),
        ("SanaTransformer", "a Sana transformer"),
        ("AuraFlowTransformer", "an AuraFlow transformer"),
        ("HunyuanDiT", "a Hunyuan-DiT transformer"),
        ("Lumina", "a Lumina transformer"),
        ("QwenImageTransformer", "a Qwen-Image transformer"),
        ("Transformer2DModel", "a DiT transformer"),
        ("Autoencoder", "an autoencoder"),
        ("AsymmetricAutoencoder", "an autoencoder"),
        ("ConsistencyDecoder", "an autoencoder"),
        ("VQModel", "an autoencoder"),
        ("Paella", "an autoencoder"),
        ("ControlNet", "a control network"),
        ("Prior", "a prior of image embeddings"),
        ("CLIP", "a text or image encoder"),
        ("T5", "a text encoder"),
    ];

    // Names that give a state dictionary away.
    private static readonly (string Part, string What)[] Names =
    [
        ("first_stage_model.", "a checkpoint of latent diffusion (Stable Diffusion and its kin), whose network denoises latents"),
        ("diffusion_model.", "a checkpoint of latent diffusion (Stable Diffusion and its kin), whose network denoises latents"),
        ("lora_", "a LoRA, which is no network of its own"),
        (".lora", "a LoRA, which is no network of its own"),
        ("adaLN_modulation", "a DiT transformer"),
        ("joint_transformer_blocks", "an MMDiT transformer"),
        ("double_blocks.", "a Flux transformer"),
        ("single_transformer_blocks.", "a Flux transformer"),
        ("x_embedder.proj", "a DiT transformer"),
        ("pos_embed.proj", "a DiT transformer"),
        (".transformer_blocks.", "a U-Net conditioned on text"),
        ("encoder_kv", "a U-Net conditioned on text"),
        ("transformer_blocks.", "a transformer"),
        ("text_model.", "a text encoder"),
        ("quant_conv", "an autoencoder"),
        ("encoder.down", "an autoencoder"),
        ("decoder.up", "an autoencoder"),
        ("emb_fourier.freqs", "an EDM2 network without its options; give the pickle"),
        ("mid_block.resnets", "a network of diffusers without its config.json; give its folder"),
        ("map_layer0.", "a network of NVlabs/edm without its options; give the pickle, or the model folder with config.json"),
    ];

    /// <summary>A class of diffusers or transformers in words, with its name.</summary>
    public static string OfClass(string name)
    {
        string what = Classes.FirstOrDefault(known => name.StartsWith(known.Class, StringComparison.Ordinal)).What
            ?? (name.Contains("Transformer", StringComparison.Ordinal) ? "a transformer"
            : name.Contains("Encoder", StringComparison.Ordinal) ? "an encoder" : "no U-Net of images");
        return $"{what} ({Printable.Line(name, 60)})";
    }

    /// <summary>Whether a class turns images into latents and back.</summary>
    public static bool IsAutoencoder(string name) => OfClass(name).StartsWith("an autoencoder", StringComparison.Ordinal);

    /// <summary>What the names of a state dictionary say it is; null where they say nothing that is known.</summary>
    public static string? OfNames(IEnumerable<string> names)
    {
        string[] all = [.. names];
        return Names.FirstOrDefault(known => Array.Exists(all, name => name.Contains(known.Part, StringComparison.Ordinal))).What;
    }

    /// <summary>What the <c>config.json</c> of another library describes, in words; null where it names no class.</summary>
    public static string? OfConfig(string path)
    {
        try
        {
            return ClassOf(JsonFile.ReadPython(path)) is string name ? OfClass(name) : null;
        }
        catch (InvalidInputException)
        {
            return null;
        }
    }

    /// <summary>The class that a configuration of diffusers or transformers names; null where it names none.</summary>
    public static string? ClassOf(IReadOnlyDictionary<string, JsonElement> given)
        => Text(given, "_class_name") ?? (given.TryGetValue("architectures", out JsonElement list) && list.ValueKind == JsonValueKind.Array
            && list.GetArrayLength() > 0 ? Text(list[0]) : null) ?? Text(given, "model_type");

    /// <summary>A text among JSON values; null for what is none.</summary>
    public static string? Text(IReadOnlyDictionary<string, JsonElement> given, string key)
        => given.TryGetValue(key, out JsonElement value) ? Text(value) : null;

    /// <summary>A text; null for what is none.</summary>
    public static string? Text(JsonElement value)
    {
        try
        {
            return value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        }
        catch (InvalidOperationException) // text that is no Unicode
        {
            return null;
        }
    }
}
