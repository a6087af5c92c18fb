using FewStep.Denoising;
using FewStep.Sampling;

namespace FewStep.Tests.Sampling;

public class LatentsTests
{
    private static readonly ImageShape Shape = new(3, 8, 8);

    [Fact]
    public void An_image_depends_on_its_seed_alone()
    {
        using var scope = NewDisposeScope();
        manual_seed(1);
        var batch = Latents.Draw([7, 0, 12345], Shape);
        manual_seed(2);
        Assert.True(batch[2].Equals(Latents.Draw([12345], Shape)[0]));
        Assert.True(batch[0].Equals(Latents.Draw([3, 7], Shape)[1]));
        Assert.False(batch[0].Equals(batch[1]));
        Assert.True(batch.to(float64).Equals(Latents.Draw([7, 0, 12345], Shape, float64)));
    }

    [Fact]
    public void Neighbouring_seeds_give_independent_unit_noise()
    {
        using var scope = NewDisposeScope();
        var z = Latents.Draw([.. Enumerable.Range(0, 500).Select(i => (long)i)], Shape).view(500, -1);
        Assert.Equal(0, z.mean().item<float>(), 0.02f);
        Assert.Equal(1, z.std().item<float>(), 0.02f);
        Assert.Equal(0, (z[1..] * z[..^1]).mean().item<float>(), 0.02f);
    }

    [Fact]
    public void Seeds_beyond_the_generators_32_bits_are_refused()
    {
        using var last = Latents.Draw([Latents.MaximumSeed], Shape);
        Assert.Throws<InvalidInputException>(() => Latents.Draw([Latents.MaximumSeed + 1], Shape));
        Assert.Throws<InvalidInputException>(() => Latents.Draw([-1], Shape));
    }
}
