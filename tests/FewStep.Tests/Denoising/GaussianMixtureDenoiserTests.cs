using FewStep.Denoising;

namespace FewStep.Tests.Denoising;

public class GaussianMixtureDenoiserTests
{
    private static readonly ImageShape Shape = new(1, 2, 2);

    private static GaussianMixture Mixture(int[]? classes = null) => new(
        Shape,
        [0.5, 0.3, 0.2],
        [[-1, 0, 0.5, 1], [1, 1, -0.5, 0], [0.2, -1, 0.3, -0.4]],
        [0.2, 0.4, 0.7],
        classes);

    [Fact]
    public void Gaussian_data_gives_the_closed_form()
    {
        using var scope = NewDisposeScope();
        using var denoiser = GaussianMixtureDenoiser.Gaussian(Shape, 0.3, 0.5);
        var x = randn(Shape.Batch(3), float64);
        var sigma = tensor([0.01, 1.0, 50.0], float64);
        var s2 = sigma.square().view(3, 1, 1, 1);
        var expected = 0.3 + 0.25 / (0.25 + s2) * (x - 0.3);
        Assert.True(allclose(expected, denoiser.Denoise(x, sigma, null), 1e-13, 1e-13));
    }

    [Theory]
    [InlineData(0.05)]
    [InlineData(0.6)]
    [InlineData(20)]
    public void A_mixture_obeys_Tweedies_formula(double s)
    {
        // D = x + s^2 grad log p(x; s), with the density written out and differentiated by autograd.
        using var scope = NewDisposeScope();
        var mixture = Mixture();
        using var denoiser = new GaussianMixtureDenoiser(mixture);
        var x = (randn(Shape.Batch(5), float64) * Math.Max(s, 1)).requires_grad_();
        var terms = Enumerable.Range(0, 3).Select(k =>
        {
            double v = mixture.Stds[k] * mixture.Stds[k] + s * s;
            var m = tensor([.. mixture.Means[k]], float64);
            return Math.Log(mixture.Weights[k]) - 2 * Math.Log(v) - (x.view(5, 4) - m).square().sum(1) / (2 * v);
        });
        stack(terms, 0).logsumexp(0).sum().backward();
        var expected = (x + s * s * x.grad!).detach();
        Assert.True(allclose(expected, denoiser.Denoise(x.detach(), tensor([s], float64), null), 1e-10, 1e-10));
    }

    [Fact]
    public void Float32_stays_float32_and_agrees_far_out_in_the_tails()
    {
        using var scope = NewDisposeScope();
        using var denoiser = new GaussianMixtureDenoiser(Mixture());
        var x = randn(Shape.Batch(8), float64) * 80;
        var wide = denoiser.Denoise(x, tensor([0.002], float64), null);
        var narrow = denoiser.Denoise(x.to(float32), tensor([0.002f], float32), null);
        Assert.Equal(ScalarType.Float32, narrow.dtype);
        Assert.True(allclose(wide, narrow.to(float64), 1e-4, 1e-4));
    }

    [Fact]
    public void A_label_restricts_the_posterior_to_its_components()
    {
        using var scope = NewDisposeScope();
        using var denoiser = new GaussianMixtureDenoiser(Mixture([0, 1, 0]));
        using var one = new GaussianMixtureDenoiser(new GaussianMixture(Shape, [1], [[1, 1, -0.5, 0]], [0.4]));
        using var all = new GaussianMixtureDenoiser(Mixture());
        var x = randn(Shape.Batch(2), float64);
        var sigma = tensor([0.8], float64);
        var actual = denoiser.Denoise(x, sigma, tensor([1L, -1L]));
        Assert.Equal(2, denoiser.Classes);
        Assert.True(allclose(one.Denoise(x, sigma, null)[0], actual[0], 1e-12, 1e-12));
        Assert.True(allclose(all.Denoise(x, sigma, null)[1], actual[1], 1e-12, 1e-12));
    }

    [Fact]
    public void Wrong_tensors_are_programmer_errors()
    {
        using var scope = NewDisposeScope();
        using var denoiser = new GaussianMixtureDenoiser(Mixture());
        var x = zeros(Shape.Batch(2), float64);
        var sigma = ones(1, float64);
        Assert.Throws<ArgumentException>(() => denoiser.Denoise(x.to(bfloat16), sigma.to(bfloat16), null));
        Assert.Throws<ArgumentException>(() => denoiser.Denoise(x.view(2, 2, 1, 2), sigma, null));
        Assert.Throws<ArgumentException>(() => denoiser.Denoise(x, ones(3, float64), null));
        Assert.Throws<ArgumentException>(() => denoiser.Denoise(x, ones(1, float32), null));
        Assert.Throws<ArgumentException>(() => denoiser.Denoise(x, sigma, zeros(3, int64)));
    }

    [Fact]
    public void Counting_counts_images()
    {
        using var scope = NewDisposeScope();
        using var inner = new GaussianMixtureDenoiser(Mixture());
        var counting = new CountingDenoiser(inner);
        var x = randn(Shape.Batch(3), float64);
        var sigma = ones(1, float64);
        Assert.True(counting.Denoise(x, sigma, null).Equals(inner.Denoise(x, sigma, null)));
        counting.Denoise(x[..1], sigma, null);
        Assert.Throws<ArgumentException>(() => counting.Denoise(x, ones(2, float64), null));
        Assert.Equal(4, counting.Images);
    }
}
