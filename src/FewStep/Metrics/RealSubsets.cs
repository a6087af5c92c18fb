using FewStep.Data;

namespace FewStep.Metrics;

/// <summary>Disjoint random subsets of real images of one size, for the floor of a metric.</summary>
internal sealed record RealSubsets(IReadOnlyList<int[]> Indices, bool Balanced)
{
    /// <summary>Chooses subsets, of all classes equally often as samples are wherever the set has enough images of each class.</summary>
    public static RealSubsets Choose(IImageSet images, int size, int most, long seed)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(size, 2);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        int count = Math.Min(most, images.Count / size);
        if (count == 0)
            return new RealSubsets([], false);
        int[] order = EpochShuffle.Order(images, seed);
        if (images.Classes > 0)
        {
            var classes = ByClass(images, order);
            for (int subsets = count; subsets > 0; subsets--)
            {
                if (Enumerable.Range(0, images.Classes).All(c => Before(c, (long)subsets * size, images.Classes) <= classes[c].Count))
                    return new RealSubsets([.. Enumerable.Range(0, subsets).Select(s => Balance(classes, s, size))], true);
            }
        }

        return new RealSubsets([.. order.Chunk(size).Take(count)], false);
    }

    private static List<int>[] ByClass(IImageSet images, int[] order)
    {
        List<int>[] classes = [.. Enumerable.Range(0, images.Classes).Select(_ => new List<int>())];
        foreach (int image in order)
        {
            if (images.Label(image) is >= 0 and var label)
                classes[label].Add(image);
        }

        return classes;
    }

    // Labels go round: image number k of all subsets together has the class k mod classes.
    private static int[] Balance(List<int>[] classes, int subset, int size)
    {
        long first = (long)subset * size;
        return [.. classes.SelectMany(
            (members, c) => members[(int)Before(c, first, classes.Length)..(int)Before(c, first + size, classes.Length)])];
    }

    // How many of the first images have a class.
    private static long Before(int label, long images, int classes) => (images / classes) + (images % classes > label ? 1 : 0);
}
