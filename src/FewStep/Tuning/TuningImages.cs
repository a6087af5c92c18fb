using FewStep.Data;

namespace FewStep.Tuning;

/// <summary>Images for the denoising loss.</summary>
/// <param name="Training">Images to tune on; not disposed.</param>
/// <param name="HeldOut">Other images, for early stopping; not disposed.</param>
/// <param name="Autoencoder">Encodes each batch when it is read, where the model denoises latents; null where it does not. Not
/// disposed.</param>
internal sealed record TuningImages(IImageSet Training, IImageSet HeldOut, bool Flip = false, IAutoencoder? Autoencoder = null)
{
    /// <summary>Holds a tenth of a set out, chosen at random but always the same: sets may be sorted by class.</summary>
    /// <param name="images">Two images or more; not disposed, and needed as long as the parts.</param>
    public static TuningImages Split(IImageSet images, IAutoencoder? autoencoder = null)
    {
        if (images.Count < 2)
            throw new Platform.InvalidInputException("Tuning on images needs at least 2 of them, one to tune on and one to hold out.");
        int heldOut = Math.Max(1, images.Count / 10);
        return new TuningImages(SubsetImageSet.Random(images, images.Count - heldOut, seed: 0),
            SubsetImageSet.Random(images, heldOut, seed: 0, skip: images.Count - heldOut), Autoencoder: autoencoder);
    }
}
