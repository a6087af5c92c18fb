using FewStep.Metrics;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Sampling;
using FewStep.Tests.Cli;
using FewStep.Tests.Tuning;
using TorchSharp;

namespace FewStep.Tests.Metrics;

public sealed class ImageEmbeddingsTests : IDisposable
{
    private readonly TinyWorld _world = new();
    private readonly NetworkDenoiser _model = TinyModel.Create();
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose()
    {
        _scope.Dispose();
        _model.Dispose();
        _world.Dispose();
    }

    [Theory]
    [InlineData("encoder")]
    [InlineData("classifier")]
    public void Images_that_are_blurred_are_further_than_in_pixels_and_gradients_say_so(string name)
    {
        using var embedding = Open(name);
        using var generator = new Generator(1);
        var image = randn(TinyModel.Shape.Batch(3), generator: generator).clamp(-1, 1);
        var blurred = (image * 0.3).requires_grad_();
        var difference = embedding.Embed(blurred) - embedding.Embed(image);
        Assert.Equal(3, difference.shape[0]);
        Assert.Equal(0, (embedding.Embed(image) - embedding.Embed(image)).abs().max().item<float>());
        difference.square().mean().backward();
        var step = blurred.detach() - (blurred.grad! / blurred.grad!.norm() * 0.05);
        Assert.True((embedding.Embed(step) - embedding.Embed(image)).norm().item<float>() < difference.norm().item<float>());
    }

    [Fact]
    public void In_pixels_the_mean_square_is_that_of_pixels()
    {
        using var embedding = Open("pixels");
        var (a, b) = (rand(TinyModel.Shape.Batch(2)), rand(TinyModel.Shape.Batch(2)));
        Assert.Equal((a - b).square().mean().item<float>(), (embedding.Embed(a) - embedding.Embed(b)).square().mean().item<float>(), 1e-6);
    }

    // The parts: pixels, then activations and their statistics for each stage; each weighs the same.
    [Fact]
    public void Pixels_weigh_as_much_as_every_other_part()
    {
        using var embedding = Open("encoder");
        var image = rand(TinyModel.Shape.Batch(2));
        var embedded = embedding.Embed(image);
        int parts = 1 + (2 * _model.Encode(image, 0.3).Count);
        var pixels = embedded.narrow(1, 0, 64) / Math.Sqrt((double)embedded.shape[1] / 64 / parts);
        Assert.True(pixels.allclose(image.flatten(1), atol: 1e-6));

        // The summary is the last part.
        var (all, summary) = embedding.EmbedWithSummary(image);
        long length = summary.shape[1];
        var last = embedded.narrow(1, embedded.shape[1] - length, length) / Math.Sqrt((double)embedded.shape[1] / length / parts);
        Assert.True(all.allclose(embedded) && last.allclose(summary, rtol: 1e-4, atol: 1e-6));
    }

    [Fact]
    public void The_encoder_does_not_depend_on_what_its_images_share_a_batch_with()
    {
        var images = rand(TinyModel.Shape.Batch(5));
        foreach (var (all, one) in _model.Encode(images, 0.3).Zip(_model.Encode(images.narrow(0, 2, 1), 0.3)))
            Assert.True(all.narrow(0, 2, 1).allclose(one, rtol: 1e-4, atol: 1e-5));
    }

    [Theory]
    [InlineData("pixel", "There is no distance")]
    [InlineData("encoder:", "There is no distance")]
    [InlineData("encoder:0,3", "There is no distance")]
    [InlineData("encoder:1000", "There is no distance")]
    [InlineData("classifier:nowhere", "nowhere")]
    public void What_is_unknown_is_refused(string name, string part)
        => Assert.Contains(part, Assert.Throws<InvalidInputException>(() => Open(name)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_model_without_a_network_has_no_encoder_and_a_classifier_takes_its_own_shape()
    {
        Assert.Contains("choose pixels", Refused(() => ImageEmbeddings.Open("encoder", null, TinyModel.Shape)), StringComparison.Ordinal);
        string text = Refused(() => ImageEmbeddings.Open($"classifier:{_world.Classifier}", _model, new ImageShape(3, 8, 8)));
        Assert.Contains("3x8x8", text, StringComparison.Ordinal);

        static string Refused(Func<IImageEmbedding> open) => Assert.Throws<InvalidInputException>(open).Message;
    }

    private IImageEmbedding Open(string name)
        => ImageEmbeddings.Open(name == "classifier" ? $"classifier:{_world.Classifier}" : name, _model, TinyModel.Shape);
}
