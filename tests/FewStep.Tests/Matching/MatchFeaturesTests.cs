using FewStep.Denoising;
using FewStep.Matching;
using FewStep.Metrics;
using FewStep.Sampling;
using TorchSharp;

namespace FewStep.Tests.Matching;

public sealed class MatchFeaturesTests : TensorFileTests
{
    [Fact]
    public void They_are_each_stages_means_and_deviations_and_the_finest_detail()
    {
        using var classifier = Classifier();
        var features = new MatchFeatures(classifier);
        var images = rand(3, 1, 8, 8);
        var (stages, all) = (classifier.Stages(images), features.Extract(images));
        Assert.Equal([3, features.Dimension], all.shape);
        Assert.Equal([8, 16], stages.Select(s => s.shape[1]));
        Assert.True(allclose(PerceptualEmbedding.Summarize(stages[0]), all.narrow(1, 0, 16)));
        Assert.True(allclose(PerceptualEmbedding.Summarize(stages[1]), all.narrow(1, 16, 32)));
        Assert.True(allclose(FineDetail.Of(images), all.narrow(1, 48, 6)));
        Assert.NotEqual(classifier.Hash, features.Hash);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    public void The_detail_varies_as_much_as_so_many_features(double detail)
    {
        using var classifier = Classifier();
        var features = new MatchFeatures(classifier);
        using var real = new FeatureStatistics(features.Dimension);
        real.Add(features.Extract(rand(40, 1, 8, 8)));
        var varied = real.Covariance().diagonal() * features.Weights(real, detail).square();
        Assert.Equal(detail, (varied.narrow(0, 48, 6).sum() / varied.narrow(0, 0, 48).mean()).ToDouble(), 1e-9);
    }

    [Fact]
    public void Where_real_images_have_no_detail_it_is_left_out()
    {
        using var classifier = Classifier();
        var features = new MatchFeatures(classifier);
        using var real = new FeatureStatistics(features.Dimension);
        real.Add(features.Extract(linspace(-1, 1, 5).reshape(5, 1, 1, 1).expand(5, 1, 8, 8).contiguous()));
        Assert.Equal(0, features.Weights(real, 1).narrow(0, 48, 6).abs().max().ToDouble());
    }

    // An even image and one with stripes of a pixel; of one pixel there is nothing to tell.
    [Fact]
    public void Finest_detail_is_of_haar_coefficients_in_three_directions()
    {
        var stripes = tensor(new float[] { -0.5f, 0.5f, -0.5f, 0.5f }).expand(1, 1, 4, 4);
        double floor = Math.Log(0.02), striped = Math.Log(1.02);
        Assert.Equal([floor, floor, floor, 0, 0, 0], FineDetail.Of(zeros(1, 1, 4, 4)).data<float>().Select(v => (double)v), Near);
        Assert.Equal([floor, striped, floor], FineDetail.Of(stripes).data<float>().Take(3).Select(v => (double)v), Near);
        Assert.Equal([1, 12], FineDetail.Of(zeros(1, 2, 4, 4)).shape);
        Assert.Equal([1, 6], FineDetail.Of(zeros(1, 1, 1, 1)).shape);
    }

    [Fact]
    public void A_little_noise_on_an_even_image_moves_the_finest_detail_by_three_times_its_spread()
    {
        var images = (arange(16, dtype: float32) / 16).reshape(16, 1, 1, 1) * cat([ones(1, 1, 16, 8), -ones(1, 1, 16, 8)], 3);
        var (clean, grainy) = (FineDetail.Of(images), FineDetail.Of(images + randn_like(images) * 0.05));
        Assert.True(((grainy - clean).mean([0L]).narrow(0, 0, 3) > 3 * clean.std(0, false).narrow(0, 0, 3)).all().ToBoolean());
    }

    private static FeatureClassifier Classifier() => new(new(new ImageShape(1, 8, 8), 4, [8, 16], 1, "FD (stripes)"), seed: 1);

    private static bool Near(double a, double b) => Math.Abs(a - b) < 1e-5;
}
