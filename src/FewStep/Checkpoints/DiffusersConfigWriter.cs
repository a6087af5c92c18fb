using System.Text.Json.Nodes;
using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>The <c>config.json</c> by which diffusers builds a network as its <c>UNet2DModel</c>: what <see cref="DiffusersConfig"/> reads,
/// the other way.</summary>
internal static class DiffusersConfigWriter
{
    /// <summary>Name of the weights' file beside which diffusers looks for it.</summary>
    public const string WeightsName = $"{DiffusersWeights.Stem}.safetensors";

    /// <summary>Writes it into a folder, unless it is there.</summary>
    /// <returns>Its path.</returns>
    /// <exception cref="InvalidInputException">Another one lies there, or diffusers has no words for the network.</exception>
    public static string Write(string folder, ModelConfig config)
    {
        string path = Path.Combine(folder, DiffusersPipeline.ConfigName);
        var own = Of(config);
        if (!File.Exists(path))
            JsonFile.Write(path, own);
        else if (!JsonNode.DeepEquals(JsonFile.Read<JsonObject>(path), own))
            throw new InvalidInputException($"{path} is there already and says something else; choose another folder.");
        return path;
    }

    /// <summary>The configuration of a network.</summary>
    /// <exception cref="InvalidInputException">Diffusers has no words for it; the message says for what.</exception>
    public static JsonObject Of(ModelConfig config) => config.Network switch
    {
        DdpmUNetOptions ddpm => Of(ddpm, config.Name),
        DhariwalUNetOptions adm => Of(adm, config.Name),
        _ => throw new InvalidInputException($"{config.Name} is no DDPM or ADM network: its config.json for diffusers is not "
            + "written. Give the weights another file's name, and take the config.json that the network came with."),
    };

    private static JsonObject Of(DdpmUNetOptions net, string name)
    {
        Need(net.Heads is null or 1 && net.HeadsUpsample is null, name, "a number of attention heads in place of their channels");
        Need(net.MiddleAttentionGroups != 0 || net.ScaleShift, name, "an attention in the middle without norm beside blocks without scale");
        return Common(net.ImgResolution, net.InChannels, net.OutChannels, net.LabelDim, net.BlockChannels, net.NumBlocks,
            net.AttnResolutions, ("DownBlock2D", "UpBlock2D"), net.HasMiddle, net.MiddleAttends, net.ScaleShift,
            Middle(net.MiddleAttentionGroups, net.ScaleShift, net.NormGroups), new JsonObject
            {
                ["freq_shift"] = net.FrequencyEndpoint ? 1 : 0,
                ["flip_sin_to_cos"] = net.CosineFirst,
                ["time_embedding_dim"] = net.EmbeddingChannels,
                ["attention_head_dim"] = net.Heads == 1 ? null : net.ChannelsPerHead,
                ["norm_num_groups"] = net.NormGroups,
                ["norm_eps"] = net.NormEpsilon,
                ["downsample_padding"] = net.SymmetricPadding ? 1 : 0,
                ["downsample_type"] = "conv",
                ["upsample_type"] = "conv",
                ["dropout"] = net.Dropout,
            });
    }

    private static JsonObject Of(DhariwalUNetOptions net, string name)
    {
        bool scaleShift = net.ScaleShift ?? true;
        Need(net.Heads is null or 1 && net.HeadsUpsample is null, name, "a number of attention heads in place of their channels");
        Need(net.NormGroups is not null || net.ModelChannels >= DiffusersConfig.ChannelsOfAllGroups, name,
            "groups of normalisation by channels");
        Need(net.MiddleAttentionGroups != 0 || scaleShift, name, "an attention in the middle without norm beside blocks without scale");
        int groups = net.NormGroups ?? DiffusersConfig.AdmGroups;
        return Common(net.ImgResolution, net.InChannels, net.OutChannels, net.LabelDim,
            [.. net.ChannelMult.Select(m => m * net.ModelChannels)], net.NumBlocks, net.AttnResolutions,
            ("ResnetDownsampleBlock2D", "ResnetUpsampleBlock2D"), net.HasMiddle, net.MiddleAttends, scaleShift,
            Middle(net.MiddleAttentionGroups, scaleShift, groups), new JsonObject
            {
                ["freq_shift"] = 0,
                ["flip_sin_to_cos"] = true, // the order in which DiffusersNames writes
                ["time_embedding_dim"] = net.ChannelMultEmb * net.ModelChannels,
                ["attention_head_dim"] = net.Heads == 1 ? null : net.ChannelsPerHead ?? DiffusersConfig.AdmHeadChannels,
                ["norm_num_groups"] = groups,
                ["norm_eps"] = DiffusersConfig.AdmEpsilon,
                ["downsample_padding"] = 1,
                ["downsample_type"] = "resnet",
                ["upsample_type"] = "resnet",
                ["dropout"] = net.Dropout,
            });
    }

    private static JsonObject Common(
        int side, int inputs, int outputs, int labels, IReadOnlyList<int> channels, int blocks, IReadOnlyList<int> attention,
        (string Down, string Up) plain, bool? hasMiddle, bool? middleAttends, bool scaleShift, int? middleGroups, JsonObject own)
    {
        string[] Types(string kind, string without) =>
            [.. channels.Select((_, level) => attention.Contains(side >> level) ? $"Attn{kind}Block2D" : without)];
        var config = new JsonObject
        {
            ["_class_name"] = DiffusersConfig.Class,
            ["sample_size"] = side,
            ["in_channels"] = inputs,
            ["out_channels"] = outputs,
            ["center_input_sample"] = false,
            ["time_embedding_type"] = "positional",
            ["down_block_types"] = Array(Types("Down", plain.Down)),
            ["mid_block_type"] = hasMiddle == false ? null : "UNetMidBlock2D",
            ["up_block_types"] = Array([.. Types("Up", plain.Up).Reverse()]),
            ["block_out_channels"] = Array(channels),
            ["layers_per_block"] = blocks,
            ["mid_block_scale_factor"] = 1,
            ["act_fn"] = "silu",
            ["attn_norm_num_groups"] = middleGroups,
            ["resnet_time_scale_shift"] = scaleShift ? "scale_shift" : "default",
            ["add_attention"] = middleAttends != false,
            ["class_embed_type"] = null,
            ["num_class_embeds"] = labels == 0 ? null : labels,
            ["num_train_timesteps"] = null,
        };
        foreach (var (key, value) in own.ToList())
        {
            own.Remove(key);
            config[key] = value;
        }

        return config;
    }

    // Where blocks scale, the norm before the middle's attention is there only if its groups are said.
    private static int? Middle(int? own, bool scaleShift, int groups) => own switch
    {
        null => scaleShift ? groups : null,
        0 => null,
        _ => own,
    };

    private static JsonArray Array<T>(IEnumerable<T> values) => [.. values.Select(v => (JsonNode?)JsonValue.Create(v))];

    private static void Need(bool holds, string name, string what)
    {
        if (!holds)
            throw new InvalidInputException($"{name} has {what}, which diffusers' UNet2DModel cannot be told.");
    }
}
