using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Names of another code base for the parts of a U-Net.</summary>
/// <param name="Blocks">Name of each layer by its prefix here; of a layer with attention also the attention's.</param>
/// <param name="Modules">Names of the modules of a block by those here, e.g. <c>norm0</c>; those of attention are <c>norm2</c>, <c>qkv</c> and <c>proj</c>.</param>
/// <param name="Whole">Names of the modules outside of blocks, e.g. <c>map_layer0</c>.</param>
internal sealed record ForeignNames(IReadOnlyDictionary<string, (string Block, string Attention)> Blocks, IReadOnlyDictionary<string, string> Modules, IReadOnlyDictionary<string, string> Whole)
{
    private static readonly string[] AttentionModules = ["norm2", "qkv", "proj"];

    /// <summary>The other name of a parameter.</summary>
    /// <param name="name">Its name here, e.g. <c>enc.16x16_block0.conv0.weight</c>.</param>
    /// <returns>The other name; null for a parameter that the other code base does not have.</returns>
    public string? Find(string name)
    {
        int end = name.LastIndexOf('.');
        string path = name[..end], kind = name[end..];
        if (Whole.TryGetValue(path, out string? whole))
        {
            return whole + kind;
        }

        if (Blocks.TryGetValue(path, out var convolution))
        {
            return convolution.Block + kind;
        }

        int dot = path.LastIndexOf('.');
        if (dot < 0 || !Blocks.TryGetValue(path[..dot], out var block))
        {
            return null;
        }

        string module = path[(dot + 1)..];
        return Modules.TryGetValue(module, out string? other) ? $"{(AttentionModules.Contains(module) ? block.Attention : block.Block)}.{other}{kind}" : null;
    }

    /// <summary>Attention heads of the layer that a parameter belongs to.</summary>
    public static int Heads(List<UNetLayer> plan, string parameter) => plan.First(layer => parameter.StartsWith(layer.Prefix + ".", StringComparison.Ordinal)).Heads;
}
