using FewStep.Platform;

namespace FewStep.Tuning;

/// <summary>Where a tuning takes its random numbers from. Its latents lie in the upper half of the image seeds, away from those that people sample and evaluate with, and the held-out ones apart from all others.</summary>
internal static class TuningSeeds
{
    /// <summary>The first image seed that a tuning takes latents from; all below are for people.</summary>
    public const long FirstTraining = 0x8000_0000;

    private const long TrainingCount = 0x7000_0000, FirstHeldOut = 0xF000_0000;
    private const long LatentStream = 1, ShuffleStream = 2, JitterStream = 3, NoiseStream = 4, LabelStream = 5;

    /// <summary>Image seeds of training latents: successive, so that every class comes as often as any other.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="position">Latents made before.</param>
    /// <param name="count">How many.</param>
    public static long[] Training(long seed, long position, int count)
    {
        long start = SeedHash.Derive(seed, LatentStream) % TrainingCount;
        return [.. Enumerable.Range(0, count).Select(k => FirstTraining + (start + position + k) % TrainingCount)];
    }

    /// <summary>Image seeds of held-out latents, and of the noise of held-out images.</summary>
    /// <param name="position">Those before.</param>
    /// <param name="count">How many.</param>
    public static long[] HeldOut(long position, int count) => [.. Enumerable.Range(0, count).Select(k => FirstHeldOut + position + k)];

    /// <summary>Seed of the order within a block of teacher paths.</summary>
    public static long Shuffle(long seed, long block) => SeedHash.Derive(seed, ShuffleStream, block);

    /// <summary>Seed of the jitter of a batch of teacher paths.</summary>
    public static long Jitter(long seed, long batch) => SeedHash.Derive(seed, JitterStream, batch);

    /// <summary>Seed of levels, noise and dropped labels of an update of the denoising loss.</summary>
    public static long Noise(long seed, long update) => SeedHash.Derive(seed, NoiseStream, update);

    /// <summary>Whether a training latent loses its label.</summary>
    public static bool DropsLabel(long seed, long position, double probability) => SeedHash.Derive(seed, LabelStream, position) < probability * long.MaxValue;
}
