using System.Text.RegularExpressions;

namespace FewStep.Tests.Checkpoints;

/// <summary>Writes a guided-diffusion network in diffusers' names, by its own walk through the numbered blocks: what the reader is checked
/// against.</summary>
internal static partial class GuidedDiffusionToDiffusers
{
    private static readonly (string From, string To)[] Residual =
        [("in_layers.0", "norm1"), ("in_layers.2", "conv1"), ("emb_layers.1", "time_emb_proj"), ("out_layers.0", "norm2"),
            ("out_layers.3", "conv2"), ("skip_connection", "conv_shortcut")];

    private static readonly (string From, string To)[] Outside =
        [("time_embed.0", "time_embedding.linear_1"), ("time_embed.2", "time_embedding.linear_2"), ("label_emb", "class_embedding"),
            ("input_blocks.0.0", "conv_in"), ("out.0", "conv_norm_out"), ("out.2", "conv_out")];

    /// <summary>Renames a state dictionary whose attention is in the legacy order.</summary>
    public static Dictionary<string, Tensor> Rename(
        IReadOnlyDictionary<string, Tensor> state, int layers, bool[] attention, int headChannels, bool oldNames)
    {
        var prefixes = new Dictionary<string, string>(Outside.Select(o => KeyValuePair.Create(o.From, o.To)));
        int levels = attention.Length, next = 1;
        for (int i = 0; i < levels; i++)
        {
            for (int j = 0; j < layers; j++, next++)
            {
                prefixes[$"input_blocks.{next}.0"] = $"down_blocks.{i}.resnets.{j}";
                prefixes[$"input_blocks.{next}.1"] = $"down_blocks.{i}.attentions.{j}";
            }

            if (i < levels - 1)
                prefixes[$"input_blocks.{next++}.0"] = $"down_blocks.{i}.downsamplers.0";
        }

        (prefixes["middle_block.0"], prefixes["middle_block.1"], prefixes["middle_block.2"]) = ("mid_block.resnets.0",
            "mid_block.attentions.0", "mid_block.resnets.1");
        for (int i = 0, k = 0; i < levels; i++)
        {
            bool attends = attention[levels - 1 - i];
            for (int j = 0; j <= layers; j++, k++)
            {
                prefixes[$"output_blocks.{k}.0"] = $"up_blocks.{i}.resnets.{j}";
                prefixes[$"output_blocks.{k}.{(attends ? 2 : 1)}"] = $"up_blocks.{i}.upsamplers.0";
                if (attends)
                    prefixes[$"output_blocks.{k}.1"] = $"up_blocks.{i}.attentions.{j}";
            }
        }

        var renamed = new Dictionary<string, Tensor>();
        foreach (var (name, tensor) in state)
        {
            Match parts = Parts().Match(name);
            string prefix = prefixes[parts.Groups[1].Value], module = parts.Groups[2].Value, kind = parts.Groups[3].Value;
            switch (module)
            {
                case "":
                    renamed[$"{prefix}.{kind}"] = tensor;
                    break;
                case "norm":
                    renamed[$"{prefix}.group_norm.{kind}"] = tensor;
                    break;
                case "proj_out":
                    renamed[$"{prefix}.{(oldNames ? "proj_attn" : "to_out.0")}.{kind}"] = Matrix(tensor);
                    break;
                case "qkv":
                    string[] names = oldNames ? ["query", "key", "value"] : ["to_q", "to_k", "to_v"];
                    for (int part = 0; part < 3; part++)
                        renamed[$"{prefix}.{names[part]}.{kind}"] = Rows(Matrix(tensor), part, headChannels);
                    break;
                default:
                    renamed[$"{prefix}.{Residual.Single(r => r.From == module).To}.{kind}"] = tensor;
                    break;
            }
        }

        return renamed;
    }

    private static Tensor Matrix(Tensor tensor) => tensor.Dimensions > 1 ? tensor.squeeze(-1) : tensor;

    // Each head has its rows of the query, then those of the key, then those of the value.
    private static Tensor Rows(Tensor tensor, int part, int headChannels)
    {
        long heads = tensor.shape[0] / (3 * headChannels);
        return cat(
            [.. Enumerable.Range(0, (int)heads).Select(head => tensor.narrow(0, ((3 * head) + part) * headChannels, headChannels))], 0);
    }

    [GeneratedRegex(
        @"^((?:input_blocks|output_blocks)\.\d+\.\d+|middle_block\.\d+|time_embed\.\d+|out\.\d+|label_emb)\.?(.*?)\.?(weight|bias)$")]
    private static partial Regex Parts();
}
