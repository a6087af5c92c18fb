using FewStep.Data;

namespace FewStep.Metrics;

/// <summary>A random order of a set's images: sets are often sorted by class, and parts of them must not be.</summary>
internal static class ShuffledImages
{
    public static int[] Order(IImageSet images, long seed)
    {
        var order = new EpochShuffle(images.Count, seed);
        return [.. Enumerable.Range(0, images.Count).Select(i => order[i])];
    }
}
