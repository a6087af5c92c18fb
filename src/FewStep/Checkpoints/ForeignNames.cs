using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Names of another code base for the parts of a U-Net.</summary>
internal sealed record ForeignNames(IReadOnlyDictionary<string, (string Block, string Attention)> Blocks,
    IReadOnlyDictionary<string, string> Modules, IReadOnlyDictionary<string, string> Whole)
{
    private static readonly string[] AttentionModules = ["norm2", "qkv", "proj"];

    public string? Find(string name)
    {
        int end = name.LastIndexOf('.');
        string path = name[..end], kind = name[end..];
        if (Whole.TryGetValue(path, out string? whole))
            return whole + kind;
        if (Blocks.TryGetValue(path, out var convolution))
            return convolution.Block + kind;
        int dot = path.LastIndexOf('.');
        if (dot < 0 || !Blocks.TryGetValue(path[..dot], out var block))
            return null;
        string module = path[(dot + 1)..];
        return Modules.TryGetValue(
            module, out string? other) ? $"{(AttentionModules.Contains(module) ? block.Attention : block.Block)}.{other}{kind}" : null;
    }

    /// <summary>Attention heads of the layer that a parameter belongs to.</summary>
    public static int Heads(List<UNetLayer> plan, string parameter)
        => plan.First(layer => parameter.StartsWith(layer.Prefix + ".", StringComparison.Ordinal)).Heads;
}
