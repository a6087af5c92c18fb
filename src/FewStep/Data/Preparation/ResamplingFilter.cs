namespace FewStep.Data;

/// <summary>A kernel for <see cref="ImageResampler"/>.</summary>
public enum ResamplingFilter
{
    /// <summary>The mean over the pixels whose centres lie within the target pixel's area (Pillow's BOX).</summary>
    Box,

    /// <summary>Keys' cubic convolution with a = -1/2, widened when shrinking (Pillow's BICUBIC).</summary>
    Bicubic,
}
