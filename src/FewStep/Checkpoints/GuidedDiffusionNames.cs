using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>The parameter names of openai/guided-diffusion and openai/consistency_models for ADM networks. Only names and the order of
/// numbers change, never a number.</summary>
internal static class GuidedDiffusionNames
{
    /// <summary>Key in the metadata of a safetensors file under which the model's configuration is kept.</summary>
    public const string ConfigKey = "fewstep.config";

    /// <summary>Key in the metadata of a safetensors file under which the <see cref="AttentionOrder"/> is kept.</summary>
    public const string OrderKey = "fewstep.attention_order";

    private const int AlwaysGroups = 32;
    private static readonly JsonSerializerOptions OneLine = new(JsonFile.Options) { WriteIndented = false };

    private static readonly Dictionary<string, string> Modules = new(StringComparer.Ordinal)
    {
        ["norm0"] = "in_layers.0",
        ["conv0"] = "in_layers.2",
        ["affine"] = "emb_layers.1",
        ["norm1"] = "out_layers.0",
        ["conv1"] = "out_layers.3",
        ["skip"] = "skip_connection",
        ["norm2"] = "norm",
        ["qkv"] = "qkv",
        ["proj"] = "proj_out",
    };

    private static readonly Dictionary<string, string> Whole = new(StringComparer.Ordinal)
    {
        ["map_layer0"] = "time_embed.0",
        ["map_layer1"] = "time_embed.2",
        ["map_label"] = "label_emb",
        ["out_norm"] = "out.0",
        ["out_conv"] = "out.2",
    };

    /// <summary>Writes a model's weights in guided-diffusion's names as a safetensors file, whole or not at all. The file's metadata holds
    /// the configuration, so that <see cref="ModelSource"/> reads the same model back.</summary>
    public static int Write(string path, ModelConfig config, NetworkDenoiser denoiser, AttentionOrder order = AttentionOrder.Legacy)
    {
        ArgumentNullException.ThrowIfNull(config);
        var options = config.Network as DhariwalUNetOptions
            ?? throw new InvalidInputException($"{config.Name} is no ADM network (dhariwal_unet), so guided-diffusion has no names for its "
                + "weights. Export it in the names of NVlabs/edm.");
        using var scope = NewDisposeScope();
        var renamed = ToGuidedDiffusion(options, ModelFolder.Tensors(denoiser, denoiser.Weights, ScalarType.Float32), order);
        SafetensorsFile.Write(path, renamed, new Dictionary<string, string>
        {
            ["format"] = "pt",
            [ConfigKey] = JsonSerializer.Serialize(config with { Network = options with { AugmentDim = 0 } }, OneLine),
            [OrderKey] = order == AttentionOrder.New ? "new" : "legacy",
        });
        return renamed.Count;
    }

    /// <summary>What guided-diffusion's own code would compute differently from the network, whatever the names of its weights.</summary>
    public static string? Difference(DhariwalUNetOptions options)
    {
        int least = options.ModelChannels * options.ChannelMult.Min();
        return options.NormGroups is { } groups
            ? (groups == AlwaysGroups ? null : $"guided-diffusion normalises in {AlwaysGroups} groups, this network in {groups}.")
            : Math.Min(AlwaysGroups, least / 4) == AlwaysGroups ? null
            : $"guided-diffusion normalises in {AlwaysGroups} groups, this network in {least / 4} where it has {least} channels: its own "
                + "code would compute something else.";
    }

    /// <summary>Weights in guided-diffusion's names; the tensors belong to the current dispose scope.</summary>
    internal static Dictionary<string, Tensor> ToGuidedDiffusion(
        DhariwalUNetOptions options, IReadOnlyDictionary<string, Tensor> weights, AttentionOrder order)
    {
        using var noGradient = no_grad();
        using var network = new DhariwalUNet(options);
        return Map(network, order).ToDictionary(weight => weight.Parts[0], weight =>
        {
            // Attention there is a convolution of one axis.
            Tensor foreign = weight.ToForeign(weights[weight.Name]);
            bool attention = weight.Name.EndsWith(".qkv.weight", StringComparison.Ordinal)
                || weight.Name.EndsWith(".proj.weight", StringComparison.Ordinal);
            return attention ? foreign.reshape(weight.Shape[0], weight.Shape[1], 1) : foreign;
        }, StringComparer.Ordinal);
    }

    internal static List<ForeignWeight> Map(UNet network, AttentionOrder order)
    {
        var names = new ForeignNames(Blocks(network.Plan, byConvolutions: network is DdpmUNet), Modules, Whole);
        var map = new List<ForeignWeight>();
        foreach (ParameterSpec spec in network.Layout.Specs)
        {
            if (names.Find(spec.Name) is string name)
            {
                bool attention = spec.Name.Contains(".qkv.", StringComparison.Ordinal);
                var form = attention ? (order == AttentionOrder.New ? WeightForm.PartsFirst : WeightForm.HeadsFirst)
                    : name == "label_emb.weight" ? WeightForm.Transposed : WeightForm.Same;
                map.Add(new(spec.Name, spec.Shape, [name], form, attention ? ForeignNames.Heads(network.Plan, spec.Name) : 1));
            }
        }

        return map;
    }

    private static Dictionary<string, (string, string)> Blocks(List<UNetLayer> plan, bool byConvolutions)
    {
        int encoder = 0, decoder = 0;
        bool attended = false;
        return plan.ToDictionary(layer => layer.Prefix, layer =>
        {
            switch (layer.Role)
            {
                case UNetRole.Middle:
                    return ($"middle_block.{2 * layer.Index}", "middle_block.1");
                case UNetRole.Decoder:
                    attended = layer.Heads > 0;
                    return ($"output_blocks.{decoder}.0", $"output_blocks.{decoder++}.1");
                case UNetRole.Up: // the end of the block before it
                    return ($"output_blocks.{decoder - 1}.{(attended ? 2 : 1)}{(byConvolutions ? ".conv" : "")}", "");
                case UNetRole.Down when byConvolutions:
                    return ($"input_blocks.{encoder++}.0.op", "");
                default:
                    return ($"input_blocks.{encoder}.0", $"input_blocks.{encoder++}.1");
            }
        });
    }
}

/// <summary>How openai/guided-diffusion arranges query, key and value of an attention layer.</summary>
public enum AttentionOrder
{
    /// <summary>By heads first: the code's default, and that of its networks above 64 pixels.</summary>
    Legacy,

    /// <summary>Query, key and value first (<c>use_new_attention_order</c>): its network for 64 pixels, and
    /// openai/consistency_models.</summary>
    New,
}
