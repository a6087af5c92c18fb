using FewStep.Denoising;

namespace FewStep.Tests.Denoising;

/// <summary>An autoencoder that can be computed by hand: each patch of 2x2 pixels is one latent position, whose channels are a scaled
/// Hadamard transform of the patch.</summary>
internal sealed class PatchAutoencoder : IAutoencoder
{
    public const double Scale = 0.5;

    // Orthogonal and its own inverse.
    private static readonly float[,] Hadamard =
        { { 0.5f, 0.5f, 0.5f, 0.5f }, { 0.5f, -0.5f, 0.5f, -0.5f }, { 0.5f, 0.5f, -0.5f, -0.5f }, { 0.5f, -0.5f, -0.5f, 0.5f } };

    private readonly Lock _lock = new();

    /// <summary>Images of each call, in order.</summary>
    public List<long> Encoded { get; } = [];

    /// <inheritdoc cref="Encoded"/>
    public List<long> Decoded { get; } = [];

    public string Hash => "patches";

    public ImageShape ImagesOf(ImageShape latents) => new(latents.Channels / 4, latents.Height * 2, latents.Width * 2);

    public Tensor Encode(Tensor images)
    {
        lock (_lock)
            Encoded.Add(images.shape[0]);
        return Mixed(nn.functional.pixel_unshuffle(images, 2)) * Scale;
    }

    public Tensor Decode(Tensor latents)
    {
        lock (_lock)
            Decoded.Add(latents.shape[0]);
        return nn.functional.pixel_shuffle(Mixed(latents.to(float32)) / Scale, 2);
    }

    private static Tensor Mixed(Tensor patches) => einsum("ij,bcjhw->bcihw", tensor(Hadamard),
        patches.view(patches.shape[0], patches.shape[1] / 4, 4, patches.shape[2], patches.shape[3])).reshape(patches.shape);
}
