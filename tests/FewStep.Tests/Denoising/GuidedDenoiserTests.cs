using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using TorchSharp;

namespace FewStep.Tests.Denoising;

public sealed class GuidedDenoiserTests : IDisposable
{
    private static readonly ImageShape Shape = new(1, 1, 2);
    private readonly DisposeScope _scope = NewDisposeScope();

    // Two classes on either side of zero: with a label the mixture has one component, without both.
    private readonly GaussianMixtureDenoiser _model = new(new GaussianMixture(Shape, [0.5, 0.5], [[-1, 0], [1, 0]], [0.3, 0.3], [0, 1]));
    private readonly Tensor _x = tensor(new[] { 0.2, -0.4, -0.6, 0.1, 1.5, 0.3 }, float64).view(3, 1, 1, 2);
    private readonly Tensor _labels = tensor(new long[] { 0, 1, -1 });

    public void Dispose()
    {
        _scope.Dispose();
        _model.Dispose();
    }

    [Fact]
    public void Guidance_is_the_extrapolation_from_the_guide_and_costs_what_it_evaluates()
    {
        var guided = GuidedDenoiser.ClassifierFree(_model, new Guidance { Weight = 2.5 });
        var counting = new CountingDenoiser(guided);
        var D = counting.Denoise(_x, Level(0.8), _labels);
        var (with, without) = (_model.Denoise(_x, Level(0.8), _labels), _model.Denoise(_x, Level(0.8), null));
        Assert.True(D.allclose(without + 2.5 * (with - without), 1e-12, 1e-12));
        Assert.Equal(5, counting.Images); // the image without a label needs no second evaluation

        counting.Denoise(_x, Level(0.8), null);
        Assert.Equal(8, counting.Images);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(0.3)]
    public void Rescaled_images_have_some_of_the_contrast_that_they_had(double phi)
    {
        var D = _model.Denoise(_x, Level(0.8), _labels);
        var plain = GuidedDenoiser.ClassifierFree(_model, new Guidance { Weight = 4 }).Denoise(_x, Level(0.8), _labels);
        var rescaled = GuidedDenoiser.ClassifierFree(_model, new Guidance { Weight = 4, Rescale = phi }).Denoise(_x, Level(0.8), _labels);
        Tensor Deviation(Tensor x) => x.std([1, 2, 3], unbiased: false, keepdim: true);
        var expected = plain * ((phi * Deviation(D) / Deviation(plain)) + (1 - phi));
        Assert.True(rescaled.allclose(expected, 1e-9, 1e-9));
        Assert.False(rescaled.allclose(plain, 1e-3, 1e-3));
        Assert.Equal("weight 4, rescale 0.3", new Guidance { Weight = 4, Rescale = 0.3 }.ToString());
        Assert.Contains("its rescale 2 is not in 0 to 1", Assert.Throws<InvalidInputException>(
            () => new Guidance { Rescale = 2 }.Validate()).Message);
    }

    [Fact]
    public void Outside_of_its_interval_guidance_does_nothing_and_costs_nothing()
    {
        var guided = new CountingDenoiser(
            GuidedDenoiser.ClassifierFree(_model, new Guidance { Weight = 3, SigmaLow = 0.5, SigmaHigh = 2 }));
        var always = GuidedDenoiser.ClassifierFree(_model, new Guidance { Weight = 3 });
        var labels = tensor(new long[] { 0, 1, 1 });
        foreach (double sigma in new[] { 0.1, 0.5, 2.0001, 40 })
            Assert.True(guided.Denoise(_x, Level(sigma), labels).Equals(_model.Denoise(_x, Level(sigma), labels)));
        Assert.Equal(12, guided.Images);
        Assert.True(guided.Denoise(_x, Level(2), labels).allclose(always.Denoise(_x, Level(2), labels)));
        Assert.Equal(18, guided.Images);

        // A level for each image, as in a loss curve: only the second is inside.
        var levels = tensor(new[] { 0.2, 1.0, 9.0 }, float64);
        var mixed = guided.Denoise(_x, levels, labels);
        Assert.Equal(22, guided.Images);
        Assert.True(mixed[1].allclose(always.Denoise(_x, levels, labels)[1]));
        Assert.True(mixed[0].allclose(_model.Denoise(_x, levels, labels)[0]) && mixed[2].allclose(_model.Denoise(_x, levels, labels)[2]));
    }

    [Fact]
    public void A_weaker_model_guides_with_the_same_labels_or_without()
    {
        using var weak = new GaussianMixtureDenoiser(
            new GaussianMixture(Shape, [0.5, 0.5], [[-1, 0], [1, 0]], [0.6, 0.6], [0, 1]), 0.01, 50);
        using var plain = GaussianMixtureDenoiser.Gaussian(Shape, 0, 1.2);
        foreach (var guide in new[] { weak, plain })
        {
            var guided = new CountingDenoiser(GuidedDenoiser.Auto(_model, guide, new Guidance { Weight = 2 }));
            var (strong, other) = (_model.Denoise(_x, Level(1), _labels), guide.Denoise(_x, Level(1), _labels));
            Assert.True(guided.Denoise(_x, Level(1), _labels).allclose(other + 2 * (strong - other), 1e-12, 1e-12));
            Assert.Equal(6, guided.Images);
        }

        var narrowed = GuidedDenoiser.Auto(_model, weak, new Guidance { Weight = 2 });
        Assert.Equal((0.01, 50), (narrowed.SigmaMin, narrowed.SigmaMax));
    }

    [Fact]
    public void Weight_one_is_the_model_alone_at_its_cost()
    {
        var guided = new CountingDenoiser(GuidedDenoiser.ClassifierFree(_model, new Guidance()));
        Assert.True(guided.Denoise(_x, Level(1), _labels).Equals(_model.Denoise(_x, Level(1), _labels)));
        Assert.Equal(3, guided.Images);
    }

    [Fact]
    public void A_sampler_counts_both_networks()
    {
        var guided = GuidedDenoiser.ClassifierFree(_model, new Guidance { Weight = 2, SigmaLow = 1 });
        var schedule = new SamplingSchedule([80, 10, 1.5, 0.7, 0.002]);
        var result = new SamplingLoop(guided, new EulerSolver(), schedule)
            .Sample(_x, tensor(new long[] { 0, 1, 1 }), cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal(7, result.EvaluationsPerImage); // four steps, three of them above sigma 1
        Assert.Equal(21, result.Evaluations);
    }

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        using var plain = GaussianMixtureDenoiser.Gaussian(Shape, 0, 1);
        using var other = GaussianMixtureDenoiser.Gaussian(new ImageShape(1, 2, 2), 0, 1);
        using var far = new GaussianMixtureDenoiser(TestMixtures.OneComponent(Shape, 0, 1), 100, 200);
        Refused.With("needs a model with classes", () => GuidedDenoiser.ClassifierFree(plain, new Guidance { Weight = 2 }));
        Refused.With("a guide makes the same images", () => GuidedDenoiser.Auto(_model, other, new Guidance { Weight = 2 }));
        Refused.With("do not meet", () => GuidedDenoiser.Auto(_model, far, new Guidance { Weight = 2 }));
        Refused.With("weight -1", () => GuidedDenoiser.ClassifierFree(_model, new Guidance { Weight = -1 }));
        Refused.With("interval 3 to 1", () => GuidedDenoiser.ClassifierFree(_model, new Guidance { SigmaLow = 3, SigmaHigh = 1 }));
    }

    private static Tensor Level(double sigma) => tensor(new[] { sigma }, float64);
}
