using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>Where a tuning takes its random numbers from.</summary>
internal static class TuningSeeds
{
    private const long LatentStarts = 0x7000_0000;
    private const long LatentStream = 1, ShuffleStream = 2, NoiseStream = 4, LabelStream = 5, AdapterStream = 6;

    /// <summary>Image seeds of training latents; see <see cref="SeedPlan.Tuned"/>.</summary>
    public static long[] Training(long seed, long position, int count) =>
        SeedPlan.Tuned((SeedHash.Derive(seed, LatentStream) % LatentStarts) + position, count);

    /// <summary>Seed of what adapters begin at.</summary>
    public static long Adapters(long seed) => SeedHash.Derive(seed, AdapterStream);

    public static long Shuffle(long seed, long block) => SeedHash.Derive(seed, ShuffleStream, block);

    /// <summary>Seed of what an update draws: noise and dropped labels of the denoising loss, points of the consistency loss.</summary>
    public static long Noise(long seed, long update) => SeedHash.Derive(seed, NoiseStream, update);

    public static bool DropsLabel(long seed, long position, double probability)
        => SeedHash.Derive(seed, LabelStream, position) < probability * long.MaxValue;
}
