namespace FewStep.Networks;

internal sealed record Architecture(string Key, Type Options, string? EdmClass = null);

/// <summary>All architectures: a new one is its options, its network and a line here.</summary>
internal static class ArchitectureCatalog
{
    public static IReadOnlyList<Architecture> All { get; } =
    [
        new("song_unet", typeof(SongUNetOptions), "SongUNet"),
        new("dhariwal_unet", typeof(DhariwalUNetOptions), "DhariwalUNet"),
        new("ddpm_unet", typeof(DdpmUNetOptions)),
        new("edm2_unet", typeof(Edm2UNetOptions)),
        new("dit", typeof(DiTOptions)),
        new("sd3_transformer", typeof(SD3TransformerOptions)),
        new("flux_transformer", typeof(FluxTransformerOptions)),
        new("condition_unet", typeof(ConditionUNetOptions)),
    ];

    /// <summary>All keys, as a message lists them.</summary>
    public static string Keys => $"{string.Join(", ", All.SkipLast(1).Select(a => a.Key))} and {All[^1].Key}";
}
