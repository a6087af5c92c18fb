namespace FewStep.Checkpoints;

/// <summary>What CompVis' latent-diffusion and Stability's generative-models call the modules of a U-Net of diffusers: kohya's scripts name
/// LoRAs of XL so, with underscores for dots.</summary>
internal sealed class LatentDiffusionNames
{
    private static readonly Dictionary<string, string> Whole = new(StringComparer.Ordinal)
    {
        ["conv_in"] = "input_blocks_0_0",
        ["conv_norm_out"] = "out_0",
        ["conv_out"] = "out_2",
        ["time_embedding.linear_1"] = "time_embed_0",
        ["time_embedding.linear_2"] = "time_embed_2",
        ["add_embedding.linear_1"] = "label_emb_0_0",
        ["add_embedding.linear_2"] = "label_emb_0_2",
    };

    private static readonly Dictionary<string, string> Residual = new(StringComparer.Ordinal)
    {
        ["norm1"] = "in_layers_0",
        ["conv1"] = "in_layers_2",
        ["time_emb_proj"] = "emb_layers_1",
        ["norm2"] = "out_layers_0",
        ["conv2"] = "out_layers_3",
        ["conv_shortcut"] = "skip_connection",
    };

    private const int Most = 1 << 20; // blocks and layers

    private readonly HashSet<string> _modules;
    private readonly List<int> _down = [], _up = []; // place of the first layer of each block

    /// <param name="modules">Names of the network's modules with weights.</param>
    public LatentDiffusionNames(IEnumerable<string> modules)
    {
        _modules = [.. modules];
        for (int next = 1; Layers("down_blocks", _down.Count) is > 0 and int layers;)
        {
            bool shrinks = _modules.Contains($"down_blocks.{_down.Count}.downsamplers.0.conv");
            _down.Add(next);
            next += layers + (shrinks ? 1 : 0);
        }

        for (int next = 0; Layers("up_blocks", _up.Count) is > 0 and int layers; next += layers)
            _up.Add(next);
    }

    /// <summary>The name there, with underscores; null for a module that is not in such a network.</summary>
    public string? Of(string module)
    {
        if (Whole.TryGetValue(module, out string? whole))
            return whole;
        string[] parts = module.Split('.');
        return parts switch
        {
            ["down_blocks", var block, "resnets", var layer, var inner] when Residual.TryGetValue(inner, out string? name)
                => $"input_blocks_{Place(_down, block, layer)}_0_{name}",
            ["down_blocks", var block, "attentions", var layer, ..]
                => $"input_blocks_{Place(_down, block, layer)}_1_{string.Join('_', parts[4..])}",
            ["down_blocks", var block, "downsamplers", "0", "conv"]
                => $"input_blocks_{Place(_down, block, $"{Layers("down_blocks", Number(block))}")}_0_op",
            ["mid_block", "resnets", var layer, var inner] when Residual.TryGetValue(inner, out string? name)
                => $"middle_block_{2 * Number(layer)}_{name}",
            ["mid_block", "attentions", "0", ..] => $"middle_block_1_{string.Join('_', parts[3..])}",
            ["up_blocks", var block, "resnets", var layer, var inner] when Residual.TryGetValue(inner, out string? name)
                => $"output_blocks_{Place(_up, block, layer)}_0_{name}",
            ["up_blocks", var block, "attentions", var layer, ..]
                => $"output_blocks_{Place(_up, block, layer)}_1_{string.Join('_', parts[4..])}",
            ["up_blocks", var block, "upsamplers", "0", "conv"] => Upsampler(block),
            _ => null,
        };
    }

    private string Upsampler(string block)
    {
        int last = Layers("up_blocks", Number(block)) - 1;
        bool attends = _modules.Contains($"up_blocks.{block}.attentions.{last}.proj_in");
        return $"output_blocks_{Place(_up, block, $"{last}")}_{(attends ? 2 : 1)}_conv";
    }

    private int Layers(string blocks, int block)
    {
        int layers = 0;
        while (_modules.Contains($"{blocks}.{block}.resnets.{layers}.conv1"))
            layers++;
        return layers;
    }

    private static int Place(List<int> first, string block, string layer)
        => Number(block) is var index && index < first.Count ? first[index] + Number(layer) : -1;

    private static int Number(string text)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < Most ? number : Most;
}
