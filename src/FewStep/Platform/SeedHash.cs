namespace FewStep.Platform;

/// <summary>Derives independent seeds and hash-based random numbers from a run's seed (SplitMix64).</summary>
internal static class SeedHash
{
    /// <summary>A seed for one purpose, e.g. (run seed, step index).</summary>
    public static long Derive(long seed, params ReadOnlySpan<long> path)
    {
        ulong state = Mix((ulong)seed);
        foreach (long part in path)
            state = Mix(state ^ Mix((ulong)part + 0x9E3779B97F4A7C15));
        return (long)(state >> 1);
    }

    private static ulong Mix(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
