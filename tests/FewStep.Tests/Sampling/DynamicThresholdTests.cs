using FewStep.Sampling;

namespace FewStep.Tests.Sampling;

public class DynamicThresholdTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(18)]
    [InlineData(201)]
    [InlineData(3072)]
    public void It_clamps_at_the_quantile_of_each_image_and_scales_back(int values)
    {
        using var scope = NewDisposeScope();
        var images = Latents.Draw([1, 2, 3], new(1, 1, values), float64) * tensor([0.1, 1, 5], float64).view(3, 1, 1, 1);
        var limited = DynamicThreshold.Limit(images);
        for (int b = 0; b < 3; b++)
        {
            var s = images[b].abs().quantile(tensor(0.995, float64)).clamp_min(1);
            Assert.True(allclose(images[b].clamp(-s, s) / s, limited[b], 1e-14, 1e-14));
        }

        Assert.True(limited.abs().max().item<double>() <= 1 + 1e-15);
    }

    [Fact]
    public void Images_within_the_range_stay_bit_for_bit()
    {
        using var scope = NewDisposeScope();
        var image = rand(2, 3, 8, 8) * 2 - 1;
        Assert.True(image.Equals(DynamicThreshold.Limit(image)));
        Assert.Equal(ScalarType.Float32, DynamicThreshold.Limit(image).dtype);
    }
}
