using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Place of a layer in a U-Net.</summary>
internal enum UNetLayerRole
{
    /// <summary>The first convolution.</summary>
    Input,

    /// <summary>What halves the size on the way to a level.</summary>
    Down,

    /// <summary>A block before the middle.</summary>
    Encoder,

    /// <summary>One of the two blocks of the middle.</summary>
    Middle,

    /// <summary>What doubles the size on the way to a level.</summary>
    Up,

    /// <summary>A block after the middle.</summary>
    Decoder,
}

/// <summary>A layer of a U-Net.</summary>
/// <param name="Prefix">Its name, e.g. <c>enc.16x16_block0</c>.</param>
/// <param name="Role">Its place.</param>
/// <param name="Level">Its resolution, 0 the finest.</param>
/// <param name="Index">Number of the block among those of its place and level.</param>
/// <param name="HasAttention">Whether self-attention follows.</param>
internal sealed record UNetLayer(string Prefix, UNetLayerRole Role, int Level, int Index, bool HasAttention);

/// <summary>The layers of <see cref="DhariwalUNet"/> and <see cref="DdpmUNet"/> in the order of their evaluation, by which other code bases number them.</summary>
internal static class UNetLayers
{
    /// <summary>The layers of an ADM network.</summary>
    public static List<UNetLayer> Of(DhariwalUNetOptions options) => List(options.ImgResolution, options.ChannelMult.Count, options.NumBlocks, options.AttnResolutions);

    /// <summary>The layers of a DDPM network.</summary>
    public static List<UNetLayer> Of(DdpmUNetOptions options) => List(options.ImgResolution, options.BlockChannels.Count, options.NumBlocks, options.AttnResolutions);

    private static List<UNetLayer> List(int resolution, int levels, int blocks, IReadOnlyList<int> attention)
    {
        var layers = new List<UNetLayer>();
        bool Attends(int level) => attention.Contains(resolution >> level);
        void Add(string half, UNetLayerRole role, int level, string name, int index = 0, bool attends = false)
            => layers.Add(new($"{half}.{resolution >> level}x{resolution >> level}_{name}", role, level, index, attends));

        Add("enc", UNetLayerRole.Input, 0, "conv");
        for (int level = 0; level < levels; level++)
        {
            if (level > 0)
            {
                Add("enc", UNetLayerRole.Down, level, "down");
            }

            for (int i = 0; i < blocks; i++)
            {
                Add("enc", UNetLayerRole.Encoder, level, $"block{i}", i, Attends(level));
            }
        }

        for (int level = levels - 1; level >= 0; level--)
        {
            if (level == levels - 1)
            {
                Add("dec", UNetLayerRole.Middle, level, "in0", 0, attends: true);
                Add("dec", UNetLayerRole.Middle, level, "in1", 1);
            }
            else
            {
                Add("dec", UNetLayerRole.Up, level, "up");
            }

            for (int i = 0; i <= blocks; i++)
            {
                Add("dec", UNetLayerRole.Decoder, level, $"block{i}", i, Attends(level));
            }
        }

        return layers;
    }
}
