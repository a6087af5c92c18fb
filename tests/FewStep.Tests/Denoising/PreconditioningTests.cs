using FewStep.Denoising;
using FewStep.Runtime;
using static TorchSharp.torch;

namespace FewStep.Tests.Denoising;

public sealed class PreconditioningTests
{
    public static TheoryData<IPreconditioning> NoisePredictors => new((IPreconditioning[])[new VpPreconditioning(), new IddpmPreconditioning()]);

    [Theory]
    [MemberData(nameof(NoisePredictors))]
    public void The_true_noise_gives_the_clean_image(IPreconditioning preconditioning)
    {
        // F = n must give D = x0 at x = x0 + s n, and the network's input must have unit variance for unit data.
        using var scope = NewDisposeScope();
        Tensor sigma = tensor(new[] { preconditioning.SigmaMin, 0.3, 7, preconditioning.SigmaMax });
        var (skip, output, input, _) = preconditioning.Coefficients(sigma);
        Tensor clean = tensor(new[] { 0.1, -0.4, 0.9, 0.2 }), noise = tensor(new[] { 1.5, -0.3, 0.7, -2 });
        Tensor denoised = skip * (clean + sigma * noise) + output * noise;
        Assert.True(denoised.allclose(clean, atol: 1e-9));
        Assert.True((input.square() * (sigma.square() + 1)).allclose(ones_like(sigma)));
    }

    [Fact]
    public void The_noise_label_of_VP_is_the_time_of_its_SDE()
    {
        using var scope = NewDisposeScope();
        var vp = new VpPreconditioning(betaD: 19.9, betaMin: 0.1, timeSteps: 1000, smallestTime: 1e-5);
        double[] times = [1e-5, 0.001, 0.2, 0.7, 1];
        double[] sigmas = [.. times.Select(t => Math.Sqrt(Math.Exp((19.9 * t * t / 2) + (0.1 * t)) - 1))];
        Tensor labels = vp.Coefficients(tensor(sigmas)).Noise;
        Assert.True(labels.allclose(tensor(times) * 999, rtol: 1e-9));
        Assert.Equal(sigmas[^1], vp.SigmaMax, 1e-9 * sigmas[^1]);
        Assert.Equal(sigmas[0], vp.SigmaMin, 1e-9);
    }

    [Fact]
    public void The_levels_of_iDDPM_are_those_of_its_cosine_schedule()
    {
        using var scope = NewDisposeScope();
        var iddpm = new IddpmPreconditioning();
        int m = iddpm.Levels;

        // Where C_1 does not limit, the recursion telescopes: 1 + u_j^2 = alpha-bar_M / alpha-bar_j.
        double AlphaBar(double j) => Math.Pow(Math.Sin(Math.PI / 2 * j / m / 1.008), 2);
        for (int j = m - 1; j > 30; j--)
        {
            double expected = Math.Sqrt((AlphaBar(m) / AlphaBar(j)) - 1);
            Assert.Equal(expected, iddpm.NoiseLevels[j], 1e-6 * expected);
            Assert.True(iddpm.NoiseLevels[j] < iddpm.NoiseLevels[j - 1]);
        }

        Tensor own = tensor(iddpm.NoiseLevels.ToArray());
        Assert.Equal(Enumerable.Range(0, m).Select(j => (double)(m - 1 - j)), iddpm.Coefficients(own * 1.0001).Noise.data<double>().ToArray());
    }

    [Fact]
    public void VE_labels_are_logarithms_of_half_sigma()
    {
        using var scope = NewDisposeScope();
        var (skip, output, input, noise) = new VePreconditioning().Coefficients(tensor(new[] { 2.0, 2 * Math.E }));
        Assert.Equal([0, 1], noise.data<double>().ToArray());
        Assert.Equal([2, 2 * Math.E], output.data<double>().ToArray());
        Assert.Equal([1, 1], skip.data<double>().ToArray());
        Assert.Equal([1, 1], input.data<double>().ToArray());
    }

    [Fact]
    public void Values_out_of_range_are_refused()
    {
        Assert.Throws<InvalidInputException>(() => new VpPreconditioning(betaD: 0));
        Assert.Throws<InvalidInputException>(() => new VpPreconditioning(smallestTime: double.NaN));
        Assert.Throws<InvalidInputException>(() => new VePreconditioning(1, 1));
        Assert.Throws<InvalidInputException>(() => new VePreconditioning(1, double.PositiveInfinity));
        Assert.Throws<InvalidInputException>(() => new IddpmPreconditioning(levels: 1));
        Assert.Throws<InvalidInputException>(() => new IddpmPreconditioning(smallestAlpha: double.NaN));
    }
}
