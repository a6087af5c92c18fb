namespace FewStep.Search;

/// <summary>How far the images of a sampler [L,C,H,W] are from a teacher's of the same latents.</summary>
internal static class EndpointCriteria
{
    /// <summary>The mean-square difference of a value.</summary>
    public static Func<Tensor, double> MeanSquare(Tensor teacher) => images =>
    {
        using var scope = NewDisposeScope();
        return (images - teacher).to(float64).Squared().mean().AsDouble();
    };

    /// <summary>The total variation of the difference, relative to the teacher's own: the mean absolute difference of neighbouring
    /// pixels.</summary>
    /// <remarks>It weighs fine structure up, which a mean square of pixels all but overlooks, for natural images have most of their power
    /// in their coarse structure; and it is linear in errors, so that images far off do not decide alone.</remarks>
    public static Func<Tensor, double> TotalVariation(Tensor teacher)
    {
        double whole = Variation(teacher);
        if (!(whole > 0))
            throw new InvalidInputException("Images without neighbouring pixels that differ have no total variation; compare pixels.");

        return images =>
        {
            using var scope = NewDisposeScope();
            return Variation(images - teacher) / whole;
        };
    }

    private static double Variation(Tensor images)
    {
        using var scope = NewDisposeScope();
        double Along(int dimension)
            => images.shape[dimension] > 1 ? images.diff(1, dimension).to(float64).abs().mean().AsDouble() : 0;
        return Along(2) + Along(3);
    }
}
