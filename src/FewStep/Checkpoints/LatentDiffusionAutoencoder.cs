using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>The autoencoder of one file in latent-diffusion's names.</summary>
internal sealed class LatentDiffusionAutoencoder(string path, string? section, Lazy<string> hash)
    : LatentDiffusionPart(path, section, Prefix, hash)
{
    public const string Prefix = "first_stage_model.";

    private static readonly Dictionary<string, string> Attention = new(StringComparer.Ordinal)
    { ["group_norm"] = "norm", ["to_q"] = "q", ["to_k"] = "k", ["to_v"] = "v", ["to_out.0"] = "proj_out" };

    private static readonly Dictionary<string, string> PartlyAttention = new(StringComparer.Ordinal) { ["group_norm"] = "norm" };

    protected override IEnumerable<(string Name, Tensor Tensor)> Renamed(IReadOnlyDictionary<string, Tensor> tensors,
        ParameterLayout layout)
    {
        int levels = layout.Specs.Select(spec => spec.Name.Split('.')).Where(parts => parts is ["decoder", "up_blocks", ..])
            .Select(parts => parts[2]).Distinct().Count();
        var left = tensors.ToDictionary();
        foreach (string name in layout.Specs.Select(spec => spec.Name))
        {
            // Some programs leave diffusers' names of attention in between.
            string there = NameOf(name, levels, Attention), partly = NameOf(name, levels, PartlyAttention);
            if (left.Remove(there, out Tensor? tensor) || left.Remove(partly, out tensor))
                yield return (name, tensor);
        }

        foreach (var (name, tensor) in left)
            yield return (Prefix + name, tensor);
    }

    // What latent-diffusion calls a parameter of diffusers' autoencoder; the decoder's levels are counted from the other end there.
    private static string NameOf(string name, int levels, Dictionary<string, string> attention)
    {
        string[] parts = name.Split('.')[..^1];
        string Way(string blocks) => blocks[..blocks.IndexOf('_')];
        string Level(string level) => parts[0] == "decoder" ? $"{levels - 1 - int.Parse(level, CultureInfo.InvariantCulture)}" : level;
        string[] there = parts switch
        {
            [var coder, var blocks, var level, "resnets", var block, var inner]
                => [coder, Way(blocks), Level(level), "block", block, inner == "conv_shortcut" ? "nin_shortcut" : inner],
            [var coder, var blocks, var level, "downsamplers" or "upsamplers", "0", "conv"]
                => [coder, Way(blocks), Level(level), $"{Way(blocks)}sample", "conv"],
            [var coder, "mid_block", "resnets", var block, var inner] => [coder, "mid", block == "0" ? "block_1" : "block_2", inner],
            [var coder, "mid_block", "attentions", "0", .. var inner]
                => [coder, "mid", "attn_1", attention.GetValueOrDefault(string.Join('.', inner)) ?? string.Join('.', inner)],
            [var coder, "conv_norm_out"] => [coder, "norm_out"],
            _ => parts,
        };
        return string.Join('.', there) + name[name.LastIndexOf('.')..];
    }
}
