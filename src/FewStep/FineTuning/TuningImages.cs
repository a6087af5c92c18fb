using FewStep.Data;

namespace FewStep.FineTuning;

/// <summary>Images for the denoising loss.</summary>
/// <param name="Training">Images to tune on; not disposed.</param>
/// <param name="HeldOut">Other images, for early stopping; not disposed.</param>
/// <param name="Flip">Mirrors half of the training images; default false.</param>
public sealed record TuningImages(IImageSet Training, IImageSet HeldOut, bool Flip = false);
