using FewStep.Checkpoints;

namespace FewStep.Tests.Checkpoints;

/// <summary>Tiny pipelines of Stable Diffusion, and the same weights as one file in the names that latent-diffusion, generative-models and
/// OpenCLIP give them in their own code.</summary>
internal static class OneFile
{
    private const string Network = "model.diffusion_model.", Weights = "diffusion_pytorch_model.safetensors", Text = "model.safetensors";

    // Of two levels of one block.
    private static readonly (string Here, string There)[] Outer =
    [
        ("time_embedding.linear_1.", "time_embed.0."), ("time_embedding.linear_2.", "time_embed.2."),
        ("add_embedding.linear_1.", "label_emb.0.0."), ("add_embedding.linear_2.", "label_emb.0.2."),
        ("conv_in.", "input_blocks.0.0."), ("conv_norm_out.", "out.0."), ("conv_out.", "out.2."),
        ("down_blocks.0.resnets.0.", "input_blocks.1.0."), ("down_blocks.0.attentions.0.", "input_blocks.1.1."),
        ("down_blocks.0.downsamplers.0.conv.", "input_blocks.2.0.op."), ("down_blocks.1.resnets.0.", "input_blocks.3.0."),
        ("down_blocks.1.attentions.0.", "input_blocks.3.1."),
        ("mid_block.resnets.0.", "middle_block.0."), ("mid_block.attentions.0.", "middle_block.1."),
        ("mid_block.resnets.1.", "middle_block.2."),
        ("up_blocks.0.resnets.0.", "output_blocks.0.0."), ("up_blocks.0.attentions.0.", "output_blocks.0.1."),
        ("up_blocks.0.resnets.1.", "output_blocks.1.0."), ("up_blocks.0.attentions.1.", "output_blocks.1.1."),
        ("up_blocks.1.resnets.0.", "output_blocks.2.0."), ("up_blocks.1.attentions.0.", "output_blocks.2.1."),
        ("up_blocks.1.resnets.1.", "output_blocks.3.0."), ("up_blocks.1.attentions.1.", "output_blocks.3.1."),
    ];

    private static readonly (string Here, string There)[] Residual =
    [
        ("norm1.", "in_layers.0."), ("conv1.", "in_layers.2."), ("time_emb_proj.", "emb_layers.1."), ("norm2.", "out_layers.0."),
        ("conv2.", "out_layers.3."), ("conv_shortcut.", "skip_connection."),
    ];

    /// <summary>Makes the folder of a whole pipeline.</summary>
    /// <param name="kind"><c>1</c>, <c>2</c> or <c>xl</c>.</param>
    /// <param name="type">Of its weights.</param>
    public static string Pipeline(string root, string kind, ScalarType type = ScalarType.Float32)
    {
        string unet = kind switch { "1" => "sd15-tiny", "2" => "sd2-v-tiny", _ => "sdxl-tiny" };
        Copy(GoldenPipelines.At(unet, "unet"), Path.Combine(root, "unet"));
        Copy(GoldenPipelines.At(unet, "scheduler"), Path.Combine(root, "scheduler"));
        foreach (string part in new[] { "vae", "text_encoder", "tokenizer" })
            Copy(GoldenPipelines.At("sd15-tiny", part), Path.Combine(root, part));
        if (kind == "xl")
        {
            Copy(GoldenPipelines.At("sdxl-tiny", "text_encoder_2"), Path.Combine(root, "text_encoder_2"));
            Copy(GoldenPipelines.At("sd15-tiny", "tokenizer"), Path.Combine(root, "tokenizer_2"));

            // The golden network is told 32 numbers a token, both encoders together give 56.
            string config = Path.Combine(root, "unet", "config.json");
            File.WriteAllText(config, File.ReadAllText(config).Replace("\"cross_attention_dim\": 32", "\"cross_attention_dim\": 56"));
            Change(Path.Combine(root, "unet", Weights), tensors =>
            {
                foreach (string name in tensors.Keys.Where(n => n.Contains("attn2.to_k") || n.Contains("attn2.to_v")).ToList())
                    tensors[name] = nn.functional.pad(tensors[name], [0, 24]);
            });
        }

        if (type != ScalarType.Float32)
        {
            foreach (string file in Directory.GetFiles(root, "*.safetensors", SearchOption.AllDirectories))
                Change(file, tensors => tensors.Keys.ToList().ForEach(name => tensors[name] = tensors[name].to(type)));
        }

        return root;
    }

    /// <summary>The same folder as <see cref="Pipeline"/> makes it, without weights.</summary>
    public static string WithoutWeights(string root, string kind)
    {
        Pipeline(root, kind);
        foreach (string file in Directory.GetFiles(root, "*.safetensors", SearchOption.AllDirectories))
            File.Delete(file);
        return root;
    }

    /// <summary>Writes a pipeline's weights into one file.</summary>
    /// <param name="change">What the file is to hold else.</param>
    /// <param name="bare">Whether the names of CLIP's text model lack what newer ones begin with.</param>
    public static string Of(string pipeline, string path, Action<Dictionary<string, Tensor>>? change = null, bool bare = false)
    {
        using var scope = NewDisposeScope();
        var all = new Dictionary<string, Tensor>();
        bool isXl = Directory.Exists(Path.Combine(pipeline, "text_encoder_2"));
        bool is2 = File.ReadAllText(Path.Combine(pipeline, "scheduler", "scheduler_config.json")).Contains("v_prediction");
        foreach (var (name, tensor) in Tensors(pipeline, "unet", Weights))
            all.Add(Network + NetworkName(name, isXl), tensor);
        foreach (var (name, tensor) in Tensors(pipeline, "vae", Weights))
        {
            // Its attention is of convolutions.
            bool isMatrix = name.Contains(".attentions.") && tensor.Dimensions == 2;
            all.Add("first_stage_model." + AutoencoderName(name), isMatrix ? tensor.view(tensor.shape[0], tensor.shape[1], 1, 1) : tensor);
        }

        foreach (var (name, tensor) in Tensors(pipeline, "text_encoder", Text).Where(_ => !is2))
        {
            all.Add((isXl ? "conditioner.embedders.0.transformer." : "cond_stage_model.transformer.")
                + (bare ? name.Replace("text_model.", "") : name), tensor);
        }

        if (is2) // with the layer after the last one that is used
            OpenClip(all, "cond_stage_model.model.", Tensors(pipeline, "text_encoder", Text), further: 2);
        if (isXl)
            OpenClip(all, "conditioner.embedders.1.model.", Tensors(pipeline, "text_encoder_2", Text), further: null);
        all.Add("alphas_cumprod", ones(1000));
        change?.Invoke(all);
        SafetensorsFile.Write(path, all, ModelFolder.Metadata);
        return path;
    }

    private static void OpenClip(Dictionary<string, Tensor> all, string prefix, Dictionary<string, Tensor> encoder, int? further)
    {
        string Layer(int layer) => $"{prefix}transformer.resblocks.{layer}.";
        Tensor Taken(string name) => encoder["text_model." + name];
        all.Add(prefix + "token_embedding.weight", Taken("embeddings.token_embedding.weight"));
        all.Add(prefix + "positional_embedding", Taken("embeddings.position_embedding.weight"));
        all.Add(prefix + "logit_scale", ones([]));
        all.Add(prefix + "text_projection", encoder.TryGetValue("text_projection.weight", out var projection)
            ? projection.t().contiguous() : ones(32, 32));
        for (int layer = 0; layer < 2; layer++)
        {
            string from = $"encoder.layers.{layer}.", to = Layer(layer);
            foreach (string kind in new[] { "weight", "bias" })
            {
                Tensor Part(string name) => Taken($"{from}self_attn.{name}_proj.{kind}");
                all.Add($"{to}attn.in_proj_{kind}", cat([Part("q"), Part("k"), Part("v")], 0));
                all.Add($"{to}attn.out_proj.{kind}", Part("out"));
                all.Add($"{to}ln_1.{kind}", Taken($"{from}layer_norm1.{kind}"));
                all.Add($"{to}ln_2.{kind}", Taken($"{from}layer_norm2.{kind}"));
                all.Add($"{to}mlp.c_fc.{kind}", Taken($"{from}mlp.fc1.{kind}"));
                all.Add($"{to}mlp.c_proj.{kind}", Taken($"{from}mlp.fc2.{kind}"));
            }
        }

        foreach (string kind in new[] { "weight", "bias" })
            all.Add($"{prefix}ln_final.{kind}", Taken($"final_layer_norm.{kind}"));
        if (further is int last)
        {
            foreach (string name in all.Keys.Where(n => n.StartsWith(Layer(1), StringComparison.Ordinal)).ToList())
                all.Add(Layer(last) + name[Layer(1).Length..], ones_like(all[name]));
        }
    }

    private static string NetworkName(string name, bool isXl)
    {
        if (name.StartsWith("up_blocks.0.upsamplers.0.", StringComparison.Ordinal)) // behind attention, where there is some
            return name.Replace("up_blocks.0.upsamplers.0.", isXl ? "output_blocks.1.2." : "output_blocks.1.1.");
        var place = Outer.Single(n => name.StartsWith(n.Here, StringComparison.Ordinal));
        string rest = name[place.Here.Length..];
        var inner = name.Contains(".resnets.")
            ? Residual.Single(r => rest.StartsWith(r.Here, StringComparison.Ordinal)) : ("", "");
        return place.There + inner.Item2 + rest[inner.Item1.Length..];
    }

    private static string AutoencoderName(string name) => name
        .Replace("encoder.down_blocks.", "encoder.down.").Replace("decoder.up_blocks.0.", "decoder.up.1#")
        .Replace("decoder.up_blocks.1.", "decoder.up.0.").Replace('#', '.').Replace(".mid_block.resnets.0.", ".mid.block_1.")
        .Replace(".mid_block.resnets.1.", ".mid.block_2.").Replace(".mid_block.attentions.0.", ".mid.attn_1.")
        .Replace(".resnets.", ".block.").Replace(".downsamplers.0.", ".downsample.").Replace(".upsamplers.0.", ".upsample.")
        .Replace("conv_norm_out", "norm_out").Replace("conv_shortcut", "nin_shortcut").Replace(".group_norm.", ".norm.")
        .Replace(".to_q.", ".q.").Replace(".to_k.", ".k.").Replace(".to_v.", ".v.").Replace(".to_out.0.", ".proj_out.");

    private static Dictionary<string, Tensor> Tensors(string pipeline, string part, string file)
        => new(SafetensorsFile.Read(Path.Combine(pipeline, part, file)).Tensors);

    private static void Change(string file, Action<Dictionary<string, Tensor>> change)
    {
        using var scope = NewDisposeScope();
        var tensors = Tensors(Path.GetDirectoryName(file)!, "", Path.GetFileName(file));
        change(tensors);
        SafetensorsFile.Write(file, tensors, ModelFolder.Metadata);
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
    }
}
