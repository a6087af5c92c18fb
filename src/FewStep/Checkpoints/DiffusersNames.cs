using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>The parameter names of diffusers' <c>UNet2DModel</c>.</summary>
internal static class DiffusersNames
{
    private static readonly string[] Now = ["to_q", "to_k", "to_v"], Before = ["query", "key", "value"];

    private static readonly Dictionary<string, string> Modules = new(StringComparer.Ordinal)
    {
        ["norm0"] = "norm1",
        ["conv0"] = "conv1",
        ["affine"] = "time_emb_proj",
        ["norm1"] = "norm2",
        ["conv1"] = "conv2",
        ["skip"] = "conv_shortcut",
        ["norm2"] = "group_norm",
        ["qkv"] = "qkv",
        ["proj"] = "to_out.0",
    };

    private static readonly Dictionary<string, string> Whole = new(StringComparer.Ordinal)
    {
        ["map_layer0"] = "time_embedding.linear_1",
        ["map_layer1"] = "time_embedding.linear_2",
        ["map_label"] = "class_embedding",
        ["out_norm"] = "conv_norm_out",
        ["out_conv"] = "conv_out",
    };

    /// <summary>Writes a network's weights in diffusers' names, all float32, as a safetensors file, whole or not at all. Of an ADM network
    /// the noise embedding's cosines come first (<c>flip_sin_to_cos</c> true).</summary>
    /// <returns>Number of tensors.</returns>
    public static int Write(string path, ModelConfig config, NetworkDenoiser denoiser)
    {
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        if (config.Network is DiTOptions { SharedEmbedding: true })
        {
            throw new InvalidInputException($"{config.Name} is a DiT of facebookresearch/DiT, whose time embedding diffusers' own code "
                + "computes differently; it is not exported in diffusers' names.");
        }

        if (config.Network is DiTOptions or SD3TransformerOptions or FluxTransformerOptions)
        {
            var same = ModelFolder.Tensors(denoiser, denoiser.Weights, ScalarType.Float32); // the names here are diffusers'
            SafetensorsFile.Write(path, same, ModelFolder.Metadata);
            return same.Count;
        }

        INetworkOptions options = config.Network switch
        {
            DdpmUNetOptions ddpm => ddpm,
            DhariwalUNetOptions adm => adm with { AugmentDim = 0 }, // of labels that are always absent
            _ => throw new InvalidInputException($"{config.Name} is a network that diffusers has no names for. "
                + "Export it in the names of NVlabs/edm."),
        };
        using var network = (UNet)options.Build();
        var own = ModelFolder.Tensors(denoiser, denoiser.Weights, ScalarType.Float32);
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (ForeignWeight weight in Map(network, tensors, sineFirst: false))
        {
            Tensor whole = weight.ToForeign(own[weight.Name]);
            foreach (var (name, part) in weight.Parts.Zip(whole.chunk(weight.Parts.Count, 0)))
            {
                // Attention there is a matrix.
                bool isMatrix = name.Contains(".attentions.", StringComparison.Ordinal) && part.Dimensions > 1;
                tensors[name] = (isMatrix ? part.flatten(1) : part).contiguous();
            }
        }

        SafetensorsFile.Write(path, tensors, ModelFolder.Metadata);
        return tensors.Count;
    }

    /// <summary>What diffusers' own code would compute differently from the network; null for nothing.</summary>
    public static string? Difference(INetworkOptions options)
        => options is DdpmUNetOptions { HeadsUpsample: not null } or DhariwalUNetOptions { HeadsUpsample: not null }
            ? "diffusers has as many attention heads after the middle as before it, this network has not: its own code would compute "
                + "something else."
            : null;

    /// <summary>Where diffusers keeps each parameter of a network.</summary>
    public static List<ForeignWeight> Map(UNet network, IReadOnlyDictionary<string, Tensor> tensors, bool sineFirst)
    {
        bool residual = network is DhariwalUNet;
        var names = new ForeignNames(Blocks(network.Plan, residual), Modules, Whole);
        var map = new List<ForeignWeight>();
        foreach (ParameterSpec spec in network.Layout.Specs)
        {
            string name = names.Find(spec.Name) ?? throw new InvalidOperationException($"diffusers has no name for {spec.Name}.");
            int kind = name.LastIndexOf('.');
            if (spec.Name.Contains(".qkv.", StringComparison.Ordinal))
            {
                string attention = name[..name.LastIndexOf(".qkv.", StringComparison.Ordinal)];
                string[] parts = [.. (tensors.ContainsKey($"{attention}.{Before[0]}.weight") ? Before : Now)
                    .Select(part => $"{attention}.{part}{name[kind..]}")];
                map.Add(new(spec.Name, spec.Shape, parts, WeightForm.PartsFirst, ForeignNames.Heads(network.Plan, spec.Name)));
                continue;
            }

            if (spec.Name.Contains(".proj.", StringComparison.Ordinal) && !tensors.ContainsKey(name))
            {
                string older = name.Replace(".to_out.0.", ".proj_attn.", StringComparison.Ordinal);
                name = tensors.ContainsKey(older) ? older : name;
            }

            var form = name == "class_embedding.weight" ? WeightForm.Transposed
                : sineFirst && residual && name == "time_embedding.linear_1.weight" ? WeightForm.HalvesExchanged : WeightForm.Same;
            map.Add(new ForeignWeight(spec.Name, spec.Shape, [name], form));
        }

        return map;
    }

    private static Dictionary<string, (string, string)> Blocks(List<UNetLayer> layers, bool residual)
    {
        int last = layers.Max(layer => layer.Level);
        string change = residual ? "" : ".conv";
        return layers.ToDictionary(layer => layer.Prefix, layer => layer.Role switch
        {
            UNetRole.Input => ("conv_in", ""),
            UNetRole.Down => ($"down_blocks.{layer.Level - 1}.downsamplers.0{change}", ""),
            UNetRole.Encoder => ($"down_blocks.{layer.Level}.resnets.{layer.Index}", $"down_blocks.{layer.Level}.attentions.{layer.Index}"),
            UNetRole.Middle => ($"mid_block.resnets.{layer.Index}", "mid_block.attentions.0"),
            UNetRole.Up => ($"up_blocks.{last - layer.Level - 1}.upsamplers.0{change}", ""),
            _ => ($"up_blocks.{last - layer.Level}.resnets.{layer.Index}", $"up_blocks.{last - layer.Level}.attentions.{layer.Index}"),
        });
    }
}
