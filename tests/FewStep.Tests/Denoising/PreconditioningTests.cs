using FewStep.Denoising;
using FewStep.Noise;

namespace FewStep.Tests.Denoising;

public sealed class PreconditioningTests
{
    public static TheoryData<object> NoisePredictors => new((IPreconditioning[])
    [
        new VpPreconditioning(), new DiscreteVpPreconditioning(DiscreteVpNoise.Iddpm()), new DiscreteVpPreconditioning(
            DiscreteVpNoise.Linear()), new DiscreteVpPreconditioning(DiscreteVpNoise.ScaledLinear()),
        new DiscreteVpPreconditioning(DiscreteVpNoise.Cosine()),
    ]);

    [Theory]
    [MemberData(nameof(NoisePredictors))]
    public void The_true_noise_gives_the_clean_image(object preconditioningGiven)
    {
        var preconditioning = (IPreconditioning)preconditioningGiven;
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
        double[] levels = [.. DiscreteVpNoise.Iddpm().Sigmas.Reverse()];
        int m = levels.Length;

        // Where C_1 does not limit, the recursion telescopes: 1 + u_j^2 = alpha-bar_M / alpha-bar_j.
        double AlphaBar(double j) => Math.Pow(Math.Sin(Math.PI / 2 * j / m / 1.008), 2);
        for (int j = m - 1; j > 30; j--)
        {
            double expected = Math.Sqrt((AlphaBar(m) / AlphaBar(j)) - 1);
            Assert.Equal(expected, levels[j], 1e-6 * expected);
            Assert.True(levels[j] < levels[j - 1]);
        }

        Tensor own = tensor(levels);
        Assert.Equal(Enumerable.Range(0, m).Select(j => (double)(m - 1 - j)),
            new DiscreteVpPreconditioning(DiscreteVpNoise.Iddpm()).Coefficients(own * 1.0001).Noise.data<double>().ToArray());
    }

    [Fact]
    public void The_discrete_cosine_is_that_of_iDDPM()
    {
        using var scope = NewDisposeScope();
        var (discrete, iddpm) = (new DiscreteVpPreconditioning(DiscreteVpNoise.Cosine()),
            new DiscreteVpPreconditioning(DiscreteVpNoise.Iddpm()));
        Assert.All(discrete.Noise.Sigmas.Zip(iddpm.Noise.Sigmas), pair => Assert.Equal(pair.Second, pair.First, 1e-6 * pair.Second));
        Tensor sigma = tensor(new[] { 0.01, 0.37, 5.2, 900 });
        Assert.Equal(iddpm.Coefficients(sigma).Noise.data<double>().ToArray(), discrete.Coefficients(sigma).Noise.data<double>().ToArray());
    }

    [Fact]
    public void Discrete_levels_are_those_of_the_product_of_their_betas()
    {
        double product = 1;
        var levels = DiscreteVpNoise.Linear(0.001, 0.2, 100).Sigmas;
        for (int t = 0; t < 100; t++)
        {
            product *= 1 - (0.001 + (0.199 * t / 99));
            Assert.Equal(Math.Sqrt((1 - product) / product), levels[t], 1e-9 * levels[t]);
        }
    }

    [Fact]
    public void The_time_between_two_levels_follows_the_chosen_rule()
    {
        using var scope = NewDisposeScope();
        var noise = DiscreteVpNoise.Linear();
        var (low, high) = (noise.Sigmas[998], noise.Sigmas[999]);

        // Between the geometric mean and the arithmetic one, the nearest level is the upper one by its logarithm only.
        double[] levels = [Math.Sqrt(low * high) * 0.9999, (Math.Sqrt(low * high) + ((low + high) / 2)) / 2, (low + high) / 2 * 1.0001];
        double[] Times(TimeRounding rounding)
            => new DiscreteVpPreconditioning(noise, rounding: rounding).Coefficients(tensor(levels)).Noise.data<double>().ToArray();
        Assert.Equal([998, 998, 999], Times(TimeRounding.NearestSigma));
        Assert.Equal([998, 999, 999], Times(TimeRounding.NearestLogarithm));
        double[] expected = [.. levels.Select(s => 998 + (Math.Log(s / low) / Math.Log(high / low)))];
        Assert.All(Times(TimeRounding.Between).Zip(expected), pair => Assert.Equal(pair.Second, pair.First, 9));
        foreach (var rounding in Enum.GetValues<TimeRounding>())
        {
            Assert.Equal(
                (0.0, 999.0, 417.0), (noise.Time(1e-6, rounding), noise.Time(1e6, rounding), noise.Time(noise.Sigmas[417], rounding)));
        }
    }

    [Theory]
    [InlineData(NetworkPrediction.Epsilon)]
    [InlineData(NetworkPrediction.V)]
    [InlineData(NetworkPrediction.Sample)]
    public void The_true_answer_gives_the_clean_image_whatever_is_predicted(NetworkPrediction prediction)
    {
        using var scope = NewDisposeScope();
        Tensor sigma = tensor(new[] { 0.02, 1, 30 }), clean = tensor(new[] { 0.3, -0.8, 0.5 }), noise = tensor(new[] { -1.1, 0.4, 2 });
        Tensor alpha = (1 + sigma * sigma).rsqrt();
        Tensor answer = prediction switch
        { NetworkPrediction.Epsilon => noise, NetworkPrediction.V => alpha * noise - alpha * sigma * clean, _ => clean };
        var (skip, output, input, _) = new DiscreteVpPreconditioning(DiscreteVpNoise.Linear(), prediction).Coefficients(sigma);
        Assert.True((skip * (clean + sigma * noise) + output * answer).allclose(clean, atol: 1e-12));
        Assert.True(input.allclose(alpha));
    }

    [Fact]
    public void A_consistency_model_keeps_what_it_is_given_at_the_smallest_level()
    {
        using var scope = NewDisposeScope();
        Tensor sigma = tensor(new[] { 0.002, 1, 80 });
        var (skip, output, input, noise) = EdmPreconditioning.Consistency().Coefficients(sigma);
        Assert.Equal((1, 0), (skip[0].item<double>(), output[0].item<double>()));
        var edm = new EdmPreconditioning(noiseLabelScale: 1000).Coefficients(sigma);
        Assert.True(input.allclose(edm.In) && noise.allclose(edm.Noise) && noise.allclose(250 * sigma.log()));
        Assert.True(skip.allclose(edm.Skip, rtol: 0.02) && output[1..].allclose(edm.Out[1..], rtol: 0.003));
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
        Assert.Throws<InvalidInputException>(() => DiscreteVpNoise.Iddpm(times: 1));
        Assert.Throws<InvalidInputException>(() => new EdmPreconditioning(noiseLabelScale: 0));
        Assert.Throws<InvalidInputException>(() => EdmPreconditioning.Consistency(sigmaData: double.NaN));
        Assert.Throws<InvalidInputException>(() => DiscreteVpNoise.Linear(times: 1));
        Assert.Throws<InvalidInputException>(() => DiscreteVpNoise.Linear(last: 1));
        Assert.Throws<InvalidInputException>(() => DiscreteVpNoise.Linear(first: double.NaN));
        Assert.Throws<InvalidInputException>(() => DiscreteVpNoise.Iddpm(smallestAlpha: double.NaN));
    }
}
