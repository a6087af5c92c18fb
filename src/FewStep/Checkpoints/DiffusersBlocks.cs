using FewStep.Platform;

namespace FewStep.Checkpoints;

/// <summary>What the block types of a diffusers U-Net amount to.</summary>
/// <param name="ByResidualBlocks">Whether residual blocks change the resolution, as in ADM, instead of convolutions, as in DDPM.</param>
/// <param name="AttentionLevels">Levels with attention, 0 the finest.</param>
internal sealed record DiffusersBlocks(bool ByResidualBlocks, IReadOnlyList<int> AttentionLevels)
{
    /// <summary>Reads the block types.</summary>
    /// <param name="config">The checked configuration.</param>
    /// <param name="path">Its file, for messages.</param>
    /// <exception cref="InvalidInputException">A type is unknown, or the two halves of the network differ.</exception>
    public static DiffusersBlocks Of(DiffusersConfig config, string path)
    {
        int levels = config.BlockOutChannels.Count;
        var down = config.DownBlockTypes.Select(type => Parse("down_block_types", type, config.DownsampleType, path)).ToList();
        var up = config.UpBlockTypes.Reverse().Select(type => Parse("up_block_types", type, config.UpsampleType, path)).ToList();
        for (int level = 0; level < levels; level++)
        {
            if (down[level].Attention != up[level].Attention)
            {
                throw new InvalidInputException($"{path}: down_block_types and up_block_types differ in the attention of {config.BlockOutChannels[level]} channels (level {level + 1} of {levels}); known are networks with the same in both.");
            }
        }

        // The last level down and the first one (up) change no resolution.
        List<bool> changes = [.. down.Take(levels - 1).Select(b => b.Residual), .. up.Take(levels - 1 == 0 ? 0 : levels).Skip(1).Select(b => b.Residual)];
        return changes.Distinct().Count() > 1
            ? throw new InvalidInputException($"{path}: down_block_types, up_block_types, downsample_type and upsample_type mix residual blocks and convolutions; known are networks with one of them throughout.")
            : new DiffusersBlocks(changes.FirstOrDefault(), [.. Enumerable.Range(0, levels).Where(level => down[level].Attention)]);
    }

    private static (bool Attention, bool Residual) Parse(string key, string? type, string resampling, string path) => type switch
    {
        "DownBlock2D" or "UpBlock2D" => (false, false),
        "AttnDownBlock2D" or "AttnUpBlock2D" => (true, resampling == "resnet"),
        "ResnetDownsampleBlock2D" or "ResnetUpsampleBlock2D" => (false, true),
        "AttnDownsampleBlock2D" or "AttnUpsampleBlock2D" => (true, true),
        _ => throw new InvalidInputException($"{path}: {key} names {Printable.Text(type ?? "null")}; known are DownBlock2D, AttnDownBlock2D, ResnetDownsampleBlock2D and their counterparts up."),
    };
}
