namespace FewStep.Metrics;

/// <summary>The finest coefficients of an image's Haar wavelets, at every position (undecimated).</summary>
internal static class HaarCoefficients
{
    /// <param name="images">Images [B,C,H,W]; of any size, for the coefficients go round the borders.</param>
    /// <returns>Of horizontal, vertical and diagonal edges, [B,C,H,W] each; they belong to the current dispose scope.</returns>
    public static (Tensor Horizontal, Tensor Vertical, Tensor Diagonal) Finest(Tensor images)
    {
        var (right, below) = (images.roll(-1, 3), images.roll(-1, 2));
        var both = below.roll(-1, 3);
        return ((images.Plus(right) - below - both).Times(0.5), (images.Plus(below) - right - both).Times(0.5),
            (images.Plus(both) - right - below).Times(0.5));
    }
}
