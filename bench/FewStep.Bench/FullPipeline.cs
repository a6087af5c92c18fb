using System.Text.Json;
using FewStep.Checkpoints;
using FewStep.Networks;
using FewStep.Text;

namespace FewStep.Bench;

/// <summary>Pipelines of latents in their published sizes with random weights, in the folders of diffusers: what reading, sampling, fitting
/// and tuning them costs can then be measured without a download.</summary>
internal static class FullPipeline
{
    private const string WeightsName = "diffusion_pytorch_model.safetensors", TextWeightsName = "model.safetensors";

    private static readonly object StableDiffusionUNet = new
    {
        _class_name = "UNet2DConditionModel",
        sample_size = 64,
        in_channels = 4,
        out_channels = 4,
        block_out_channels = (int[])[320, 640, 1280, 1280],
        layers_per_block = 2,
        cross_attention_dim = 768,
        attention_head_dim = 8,
        down_block_types = (string[])["CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"],
        up_block_types = (string[])["UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D"],
    };

    private static readonly object Transformer = new
    {
        _class_name = "Transformer2DModel",
        sample_size = 32,
        in_channels = 4,
        out_channels = 8,
        patch_size = 2,
        num_layers = 28,
        num_attention_heads = 16,
        attention_head_dim = 72,
        num_embeds_ada_norm = 1000,
        norm_type = "ada_norm_zero",
        norm_elementwise_affine = false,
        activation_fn = "gelu-approximate",
        attention_bias = true,
    };

    private static readonly object Decoder = new
    {
        _class_name = "AutoencoderKL",
        in_channels = 3,
        out_channels = 3,
        latent_channels = 4,
        block_out_channels = (int[])[128, 256, 512, 512],
        down_block_types = (string[])[.. Enumerable.Repeat("DownEncoderBlock2D", 4)],
        up_block_types = (string[])[.. Enumerable.Repeat("UpDecoderBlock2D", 4)],
        layers_per_block = 2,
        norm_num_groups = 32,
        act_fn = "silu",
        scaling_factor = 0.18215,
    };

    /// <summary>Writes Stable Diffusion 1.5's pipeline (1.07 billion weights, 4.3 GB): U-Net, autoencoder, text encoder, and a tokenizer
    /// that knows single characters alone.</summary>
    public static void WriteStableDiffusion(string folder)
    {
        Json(folder, "model_index.json", new
        {
            _class_name = "StableDiffusionPipeline",
            unet = (string[])["diffusers", "UNet2DConditionModel"],
            vae = (string[])["diffusers", "AutoencoderKL"],
            text_encoder = (string[])["transformers", "CLIPTextModel"],
            tokenizer = (string[])["transformers", "CLIPTokenizer"],
            scheduler = (string[])["diffusers", "PNDMScheduler"],
        });
        Scheduler(folder, "PNDMScheduler", "scaled_linear", 0.00085, 0.012);
        string config = Json(Path.Combine(folder, "unet"), DiffusersPipeline.ConfigName, StableDiffusionUNet);
        using (var network = ((INetworkOptions)ConditionUNetConfig.Read(config)).Build())
            Weights(Path.Combine(folder, "unet", WeightsName), network.Layout, 1);
        WriteDecoder(folder);
        var text = new ClipTextOptions { HiddenSize = 768, IntermediateSize = 3072, ProjectionDim = 768, NumAttentionHeads = 12 };
        Json(Path.Combine(folder, "text_encoder"), DiffusersPipeline.ConfigName, new
        {
            architectures = (string[])["CLIPTextModel"],
            model_type = "clip_text_model",
            vocab_size = text.VocabSize,
            hidden_size = text.HiddenSize,
            intermediate_size = text.IntermediateSize,
            projection_dim = text.ProjectionDim,
            num_hidden_layers = text.NumHiddenLayers,
            num_attention_heads = text.NumAttentionHeads,
            max_position_embeddings = text.MaxPositionEmbeddings,
            hidden_act = text.HiddenAct,
            layer_norm_eps = text.LayerNormEps,
            eos_token_id = 2,
        });
        Weights(Path.Combine(folder, "text_encoder", TextWeightsName), new ClipTextNetwork(text, projects: false).Layout, 3);
        WriteTokenizer(Path.Combine(folder, "tokenizer"));
    }

    /// <summary>Writes the pipeline of DiT-XL/2 at 256 pixels (0.76 billion weights, 3 GB): transformer and autoencoder.</summary>
    public static void WriteDiT(string folder)
    {
        Json(folder, "model_index.json", new
        {
            _class_name = "DiTPipeline",
            transformer = (string[])["diffusers", "Transformer2DModel"],
            vae = (string[])["diffusers", "AutoencoderKL"],
            scheduler = (string[])["diffusers", "DDIMScheduler"],
        });
        Scheduler(folder, "DDIMScheduler", "linear", 0.0001, 0.02);
        Json(Path.Combine(folder, "transformer"), DiffusersPipeline.ConfigName, Transformer);
        var options = new DiTOptions
        {
            ImgResolution = 32,
            InChannels = 4,
            OutChannels = 8,
            LabelDim = 1000,
            Layers = 28,
            Heads = 16,
            ChannelsPerHead = 72,
            FrequencyEndpoint = true,
        };
        using (var network = ((INetworkOptions)options).Build())
            Weights(Path.Combine(folder, "transformer", WeightsName), network.Layout, 1);
        WriteDecoder(folder);
    }

    /// <summary>Writes a T5 1.1 encoder of the size that is called large (0.34 billion weights) in bfloat16.</summary>
    public static void WriteT5(string folder)
    {
        var text = new T5Options { DModel = 1024, DFf = 2816, NumLayers = 24, NumHeads = 16 };
        Json(folder, DiffusersPipeline.ConfigName, new
        {
            architectures = (string[])["T5EncoderModel"],
            model_type = "t5",
            vocab_size = text.VocabSize,
            d_model = text.DModel,
            d_kv = text.DKv,
            d_ff = text.DFf,
            num_layers = text.NumLayers,
            num_heads = text.NumHeads,
            feed_forward_proj = "gated-gelu",
        });
        Weights(Path.Combine(folder, TextWeightsName), new T5Network(text).Layout, 1, ScalarType.BFloat16);
    }

    private static void WriteDecoder(string folder)
    {
        string config = Json(Path.Combine(folder, "vae"), DiffusersPipeline.ConfigName, Decoder);
        using var network = new AutoencoderKl(AutoencoderConfig.Read(config));
        Weights(Path.Combine(folder, "vae", WeightsName), network.Layout, 2);
    }

    private static void WriteTokenizer(string folder)
    {
        // Bytes that are printable stand for themselves, the others for characters from 256 on.
        int next = 256;
        string[] bytes = [.. Enumerable.Range(0, 256).Select(b => $"{(char)(b is > 32 and < 127 or > 160 and not 173 ? b : next++)}")];
        string[] tokens = [.. bytes, .. bytes.Select(b => $"{b}</w>"), "<|startoftext|>", "<|endoftext|>"];
        Json(folder, "vocab.json", tokens.Index().ToDictionary(token => token.Item, token => token.Index));
        AtomicFile.WriteText(Path.Combine(folder, "merges.txt"), "#version: 0.2\n");
        Json(folder, "tokenizer_config.json", new { tokenizer_class = "CLIPTokenizer", model_max_length = 77 });
        Json(folder, "special_tokens_map.json",
            new { bos_token = "<|startoftext|>", eos_token = "<|endoftext|>", pad_token = "<|endoftext|>", unk_token = "<|endoftext|>" });
    }

    private static void Scheduler(string folder, string name, string betas, double first, double last) =>
        Json(Path.Combine(folder, "scheduler"), "scheduler_config.json", new
        {
            _class_name = name,
            num_train_timesteps = 1000,
            beta_schedule = betas,
            beta_start = first,
            beta_end = last,
        });

    // Matrices of unit gain, and small biases, so that nothing is switched off or grows.
    private static void Weights(string path, ParameterLayout layout, long seed, ScalarType type = ScalarType.Float32)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)seed);
        var tensors = new Dictionary<string, Tensor>();
        foreach (var spec in layout.Specs)
        {
            using var own = NewDisposeScope();
            var values = randn(spec.Shape, generator: generator);
            values = spec.Shape.Length > 1 ? values.Times(1 / Math.Sqrt((double)spec.Count / spec.Shape[0]))
                : values.Times(0.1).Plus(spec.Init == WeightInit.Ones ? 1 : 0);
            tensors[spec.Name] = values.to(type).MoveToOuterDisposeScope();
        }

        SafetensorsFile.Write(path, tensors);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{layout.Count:N0} weights in {path}."));
    }

    private static string Json(string folder, string name, object content)
    {
        string path = Path.Combine(folder, name);
        Directory.CreateDirectory(folder);
        AtomicFile.WriteText(path, JsonSerializer.Serialize(content));
        return path;
    }
}
