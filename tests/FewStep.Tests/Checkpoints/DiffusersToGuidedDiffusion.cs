namespace FewStep.Tests.Checkpoints;

/// <summary>Writes a network of diffusers in the names of openai's guided-diffusion and improved-diffusion, by its own walk through the
/// blocks, with attention in the legacy order.</summary>
internal static class DiffusersToGuidedDiffusion
{
    private static readonly (string From, string To)[] Residual =
    [
        ("norm1", "in_layers.0"), ("conv1", "in_layers.2"), ("time_emb_proj", "emb_layers.1"), ("norm2", "out_layers.0"),
        ("conv2", "out_layers.3"), ("conv_shortcut", "skip_connection"),
    ];

    private static readonly (string From, string To)[] Outside =
    [
        ("time_embedding.linear_1", "time_embed.0"), ("time_embedding.linear_2", "time_embed.2"), ("class_embedding", "label_emb"),
        ("conv_in", "input_blocks.0.0"), ("conv_norm_out", "out.0"), ("conv_out", "out.2"),
    ];

    /// <param name="heads">Attention heads before the middle and in it.</param>
    /// <param name="headsUp">Attention heads after the middle.</param>
    public static Dictionary<string, Tensor> Rename(
        IReadOnlyDictionary<string, Tensor> state, int layers, bool[] attention, int heads, int headsUp, bool residual)
    {
        var renamed = new Dictionary<string, Tensor>();
        foreach (var (from, to) in Outside)
            Module(from, to);
        int levels = attention.Length, next = 1;
        for (int i = 0; i < levels; i++)
        {
            for (int j = 0; j < layers; j++, next++)
                Block($"down_blocks.{i}", j, $"input_blocks.{next}", heads);
            if (i == levels - 1)
                continue;
            if (residual)
                ResidualBlock($"down_blocks.{i}.downsamplers.0", $"input_blocks.{next}.0");
            else
                Module($"down_blocks.{i}.downsamplers.0.conv", $"input_blocks.{next}.0.op");
            next++;
        }

        ResidualBlock("mid_block.resnets.0", "middle_block.0");
        Attention("mid_block.attentions.0", "middle_block.1", heads);
        ResidualBlock("mid_block.resnets.1", "middle_block.2");
        for (int i = 0, k = 0; i < levels; i++)
        {
            for (int j = 0; j <= layers; j++, k++)
                Block($"up_blocks.{i}", j, $"output_blocks.{k}", headsUp);
            string end = $"output_blocks.{k - 1}.{(attention[levels - 1 - i] ? 2 : 1)}";
            if (residual)
                ResidualBlock($"up_blocks.{i}.upsamplers.0", end);
            else
                Module($"up_blocks.{i}.upsamplers.0.conv", end + ".conv");
        }

        return renamed;

        void Module(string from, string to)
        {
            foreach (string kind in new[] { "weight", "bias" })
            {
                if (state.TryGetValue($"{from}.{kind}", out Tensor? tensor))
                    renamed[$"{to}.{kind}"] = tensor;
            }
        }

        void ResidualBlock(string from, string to)
        {
            foreach (var (module, other) in Residual)
                Module($"{from}.{module}", $"{to}.{other}");
        }

        void Block(string from, int j, string to, int number)
        {
            ResidualBlock($"{from}.resnets.{j}", to + ".0");
            Attention($"{from}.attentions.{j}", to + ".1", number);
        }

        void Attention(string from, string to, int number)
        {
            if (!state.ContainsKey(from + ".to_q.weight"))
                return;
            Module(from + ".group_norm", to + ".norm");
            foreach (string kind in new[] { "weight", "bias" })
            {
                // Of each head the query, the key, the value.
                Tensor[][] parts = [.. new[] { "to_q", "to_k", "to_v" }.Select(p => state[$"{from}.{p}.{kind}"].chunk(number, 0))];
                Tensor joined = cat([.. Enumerable.Range(0, number).SelectMany(head => parts.Select(part => part[head]))], 0);
                Tensor output = state[$"{from}.to_out.0.{kind}"];
                bool isMatrix = kind == "weight"; // a convolution of one axis there
                renamed[$"{to}.qkv.{kind}"] = isMatrix ? joined.unsqueeze(-1) : joined;
                renamed[$"{to}.proj_out.{kind}"] = isMatrix ? output.unsqueeze(-1) : output;
            }
        }
    }
}
