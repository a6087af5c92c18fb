using FewStep.Metrics;

namespace FewStep.Matching;

/// <summary>What images have at the finest scale, edges and grain: the mean and the deviation over positions of the logarithm of their
/// finest Haar coefficients. A little noise on an even area moves it as far as an edge does.</summary>
internal static class FineDetail
{
    private const double Floor = 0.02; // two or three of 256 grey levels: less is hardly seen

    /// <summary>Numbers that tell of an image.</summary>
    public static int Dimension(ImageShape shape) => 2 * 3 * shape.Channels;

    /// <param name="images">Images [B,C,H,W] in [-1,1].</param>
    /// <returns>[B,6C]; belongs to the current dispose scope.</returns>
    public static Tensor Of(Tensor images)
    {
        using var scope = NewDisposeScope();
        var (horizontal, vertical, diagonal) = HaarCoefficients.Finest(images);
        var logarithms = cat([horizontal, vertical, diagonal], 1).abs().Plus(Floor).log().flatten(2); // [B,3C,HW]
        var mean = logarithms.mean([2L], keepdim: true);
        return cat([mean.flatten(1), (logarithms - mean).Squared().mean([2L]).sqrt()], 1).MoveToOuterDisposeScope();
    }
}
