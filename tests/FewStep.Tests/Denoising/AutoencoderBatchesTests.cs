using FewStep.Denoising;

namespace FewStep.Tests.Denoising;

public sealed class AutoencoderBatchesTests
{
    [Fact]
    public void Calls_are_bounded_in_the_values_of_their_images()
    {
        using var scope = NewDisposeScope();
        var autoencoder = new PatchAutoencoder();
        var images = rand(3, 1, 1024, 512) * 2 - 1; // half the most that a call may have
        var latents = autoencoder.EncodeAll(images);
        Assert.Equal([2, 1], autoencoder.Encoded);
        Assert.Equal([3, 4, 512, 256], latents.shape);
        var again = autoencoder.DecodeAll(latents);
        Assert.Equal([2, 1], autoencoder.Decoded);
        Assert.InRange((again - images).abs().max().item<float>(), 0, 1e-6);
        var large = autoencoder.EncodeAll(rand(2, 1, 2048, 1024)); // one that is more than that is decoded by itself
        Assert.Equal([2, 1, 1, 1], autoencoder.Encoded);
        Assert.Equal(2, large.shape[0]);
    }
}
