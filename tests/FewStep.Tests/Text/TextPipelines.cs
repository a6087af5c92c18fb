using FewStep.Checkpoints;
using FewStep.Networks;
using FewStep.Text;

namespace FewStep.Tests.Text;

/// <summary>Tiny whole pipelines with T5: the golden transformers, and random encoders and autoencoders that go with them.</summary>
internal static class TextPipelines
{
    public const int Context = 40; // numbers of a token that the golden transformers are told

    private const string Weights = "model.safetensors";

    /// <summary>Stable Diffusion 3: encoders of CLIP of 16 and 20 numbers, together fewer than T5's 40.</summary>
    public static string StableDiffusion3(string root, bool hasT5 = true)
    {
        Golden(root, "sd3-tiny");
        Clip(root, "", "CLIPTextModelWithProjection", 16, 12, seed: 1);
        Clip(root, "_2", "CLIPTextModelWithProjection", 20, 12, seed: 2);
        File.WriteAllText(Path.Combine(root, "tokenizer_2", "special_tokens_map.json"), """{"pad_token": "!"}""");
        if (hasT5)
            T5(root, "_3", seed: 3);
        Autoencoder(root, channels: 8);
        return root;
    }

    /// <summary>Flux, dev or schnell, which is not told a guidance.</summary>
    public static string Flux(string root, bool isSchnell = false)
    {
        Golden(root, "flux-tiny");
        Clip(root, "", "CLIPTextModel", 24, 24, seed: 4);
        T5(root, "_2", seed: 5);
        Autoencoder(root, channels: 4);
        if (!isSchnell)
            return root;
        string transformer = Path.Combine(root, "transformer"), config = Path.Combine(transformer, "config.json"),
            weights = Path.Combine(transformer, "diffusion_pytorch_model.safetensors");
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"guidance_embeds\": true", "\"guidance_embeds\": false"));
        using var tensors = SafetensorsFile.Read(weights).Tensors;
        SafetensorsFile.Write(weights, tensors.Where(t => !t.Key.Contains("guidance_embedder")).ToDictionary());
        return root;
    }

    private static void Golden(string root, string name)
    {
        foreach (string part in new[] { "transformer", "scheduler" })
            Copy(GoldenPipelines.At(name, part), Path.Combine(root, part));
    }

    private static void Clip(string root, string number, string name, int width, int projection, int seed)
    {
        string folder = Folder(root, $"text_encoder{number}");
        var options = new ClipTextOptions
        {
            VocabSize = 1514, // of the tokenizer
            HiddenSize = width,
            IntermediateSize = 2 * width,
            ProjectionDim = projection,
            NumHiddenLayers = 2,
            NumAttentionHeads = 2,
            HiddenAct = "gelu",
            EosTokenId = 1513,
        };
        Write(folder, name, options, new ClipTextNetwork(options, projects: name != "CLIPTextModel").Layout, seed);
        Copy(GoldenPipelines.At("sd15-tiny", "tokenizer"), Path.Combine(root, $"tokenizer{number}"));
    }

    private static void T5(string root, string number, int seed)
    {
        var options = new T5Options
        {
            VocabSize = 704, // of 600 pieces and 100 tokens, and some more
            DModel = Context,
            DKv = 8,
            DFf = 64,
            NumLayers = 2,
            NumHeads = 2,
            FeedForwardProj = "gated-gelu",
        };
        Write(Folder(root, $"text_encoder{number}"), "T5EncoderModel", options, new T5Network(options).Layout, seed);
        string tokenizer = Folder(root, $"tokenizer{number}");
        foreach (string file in new[] { "spiece.model", "tokenizer_config.json" })
            File.Copy(GoldenPipelines.At("t5-tokenizer", file), Path.Combine(tokenizer, file));
    }

    private static void Autoencoder(string root, int channels)
    {
        string folder = Folder(root, "vae"), config = Path.Combine(folder, "config.json");
        File.WriteAllText(config, File.ReadAllText(GoldenPipelines.At("sd15-tiny", "vae", "config.json"))
            .Replace("\"latent_channels\": 4", $"\"latent_channels\": {channels}")
            .Replace("\"shift_factor\": null", "\"shift_factor\": 0.0609")
            .Replace("quant_conv\": true", "quant_conv\": false"));
        using var network = new AutoencoderKl(AutoencoderFolder.Options(folder));
        Write(Path.Combine(folder, "diffusion_pytorch_model.safetensors"), network.Layout, seed: 6);
    }

    private static void Write<T>(string folder, string name, T options, ParameterLayout layout, int seed)
    {
        var config = System.Text.Json.JsonSerializer.SerializeToNode(options, JsonFile.Options)!.AsObject();
        config.Remove("end"); // no key of transformers
        config["architectures"] = new System.Text.Json.Nodes.JsonArray(name);
        File.WriteAllText(Path.Combine(folder, "config.json"), config.ToJsonString());
        Write(Path.Combine(folder, Weights), layout, seed);
    }

    private static void Write(string path, ParameterLayout layout, int seed)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        Tensor Drawn(ParameterSpec spec)
        {
            var noise = randn(spec.Shape, generator: generator);
            return spec.Shape.Length > 1 ? noise / Math.Sqrt(spec.Count / spec.Shape[0])
                : spec.Name.EndsWith("weight", StringComparison.Ordinal) ? 1 + (0.1 * noise) : 0.1 * noise;
        }

        SafetensorsFile.Write(path, layout.Specs.ToDictionary(spec => spec.Name, Drawn));
    }

    private static string Folder(string root, string name) => Directory.CreateDirectory(Path.Combine(root, name)).FullName;

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}
