namespace FewStep.Sampling;

/// <summary>What makes a batch of images from their latents: the loop over a solver's steps, or a program that holds them.</summary>
internal interface IBatchSource
{
    ImageShape Shape { get; }

    /// <summary>Number of classes; 0 without.</summary>
    int Classes { get; }

    /// <summary>Where it computes, and where latents and labels must lie.</summary>
    Device Device { get; }

    /// <param name="latents">Unit noise [B,C,H,W], float32 or float64; not changed and not disposed.</param>
    /// <param name="seeds">The images' seeds, for noise that is drawn on the way.</param>
    /// <param name="labels">int64 [B], -1 for "no class"; null stands for -1 everywhere.</param>
    SamplingResult Sample(Tensor latents, IReadOnlyList<long> seeds, Tensor? labels, CancellationToken cancellation);
}
