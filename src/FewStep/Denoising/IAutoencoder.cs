namespace FewStep.Denoising;

/// <summary>What turns images into the latents that a model denoises, and back. Thread-safe.</summary>
internal interface IAutoencoder
{
    /// <summary>SHA-256 of all that determines what it computes, in lower-case hexadecimal.</summary>
    string Hash { get; }

    /// <summary>Shape of the images that latents of a shape are decoded to.</summary>
    /// <exception cref="InvalidInputException">Its latents have another number of channels.</exception>
    ImageShape ImagesOf(ImageShape latents);

    /// <summary>Encodes images of one call; see <see cref="AutoencoderBatches"/> for any number of them.</summary>
    /// <param name="images">[B,C,H,W] in [-1,1], float32, on any device.</param>
    /// <returns>The mean of the latents [B,c,h,w] as the denoiser knows them (shifted and scaled), float32; belongs to the current
    /// dispose scope.</returns>
    Tensor Encode(Tensor images);

    /// <summary>Decodes latents of one call.</summary>
    /// <param name="latents">[B,c,h,w] as the denoiser gives them, any floating type, on any device.</param>
    /// <returns>Images [B,C,H,W], about -1 to 1, float32; belongs to the current dispose scope.</returns>
    Tensor Decode(Tensor latents);
}

/// <summary>Any number of images through an autoencoder, in calls of bounded size.</summary>
internal static class AutoencoderBatches
{
    /// <summary>Most values that the images of one call have: one image of 3 x 512 x 512, or 85 of 3 x 64 x 64. A decoder's feature maps
    /// are some hundred times as large: 2 GB for Stable Diffusion's.</summary>
    public const long MostValues = 1 << 20;

    /// <summary>Encodes images [B,C,H,W] without gradients.</summary>
    /// <returns>Latents on the images' device; they belong to the current dispose scope.</returns>
    public static Tensor EncodeAll(this IAutoencoder autoencoder, Tensor images)
        => InParts(images, images.NumberOfElements / images.shape[0], autoencoder.Encode);

    /// <summary>Decodes latents [B,c,h,w] without gradients.</summary>
    /// <returns>Images on the latents' device; they belong to the current dispose scope.</returns>
    public static Tensor DecodeAll(this IAutoencoder autoencoder, Tensor latents)
    {
        var shape = new ImageShape((int)latents.shape[1], (int)latents.shape[2], (int)latents.shape[3]);
        return InParts(latents, autoencoder.ImagesOf(shape).Dimension, autoencoder.Decode);
    }

    private static Tensor InParts(Tensor all, long valuesAnImage, Func<Tensor, Tensor> call)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        long batch = all.shape[0], most = Math.Max(1, MostValues / valuesAnImage);
        var parts = new List<Tensor>();
        for (long first = 0; first < batch; first += most)
        {
            using var part = NewDisposeScope();
            var made = call(all.narrow(0, first, Math.Min(most, batch - first)));
            parts.Add(made.to(float32).to(all.device).MoveToOuterDisposeScope());
        }

        return (parts.Count == 1 ? parts[0] : cat(parts)).MoveToOuterDisposeScope();
    }
}
