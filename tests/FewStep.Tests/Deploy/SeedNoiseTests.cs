using FewStep.Denoising;
using FewStep.Deploy;
using FewStep.Sampling;

namespace FewStep.Tests.Deploy;

/// <summary>The deploy package draws what libtorch's generator draws, without it.</summary>
public class SeedNoiseTests
{
    // libtorch's vectorised logarithm, sine and cosine differ from the system's in their last places.
    private const float Tolerance = 4e-6f;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(31)]
    [InlineData(784)]
    [InlineData(12289)]
    public void The_noise_of_a_seed_is_libtorchs(int count)
    {
        float[] own = new float[count];
        foreach (long seed in new[] { 0, 1, 63, 123456789, Latents.MaximumSeed })
        {
            SeedNoise.Fill(seed, own);
            using var theirs = Latents.Draw([seed], new ImageShape(1, 1, count));
            float[] expected = theirs.data<float>().ToArray();
            float largest = own.Zip(expected, (a, b) => Math.Abs(a - b) / Math.Max(1, Math.Abs(b))).Max();
            Assert.True(largest <= Tolerance, $"seed {seed}, {count} values: they differ by {largest}");
        }
    }

    [Fact]
    public void The_largest_seed_is_the_same() => Assert.Equal(Latents.MaximumSeed, SeedNoise.MaximumSeed);
}
