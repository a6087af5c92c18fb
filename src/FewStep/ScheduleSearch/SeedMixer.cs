namespace FewStep.ScheduleSearch;

/// <summary>Derives independent 64-bit seeds from a run's seed, an index and a purpose (the finaliser of SplitMix64; Steele, Lea and Flood 2014).</summary>
internal static class SeedMixer
{
    /// <summary>A seed.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="index">E.g. an image's index.</param>
    /// <param name="purpose">What the seed is for, so that two uses of one index do not share numbers.</param>
    public static ulong Mix(long seed, long index, string purpose)
    {
        ulong state = 0;
        foreach (char c in purpose)
        {
            state = Finalize(state ^ c);
        }

        return Finalize(Finalize(state ^ (ulong)seed) ^ (ulong)index);
    }

    private static ulong Finalize(ulong z)
    {
        z += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
