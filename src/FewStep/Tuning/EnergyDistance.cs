using TorchSharp;

namespace FewStep.Tuning;

/// <summary>The energy distance of two sets of vectors (Székely and Rizzo 2013): twice the mean distance from one to the other, less the
/// mean distances within each. It is 0 for the same distribution and above 0 for any other.</summary>
/// <remarks>Vectors of equal places belong together, as the images of one latent do, and are never compared: what is left is unbiased, and
/// may be below 0. A distance is the root-mean-square difference of a value.</remarks>
internal static class EnergyDistance
{
    /// <summary>Some vectors' share of the distance; the shares of all of them add up to it, and so do their gradients.</summary>
    /// <param name="own">The vectors that have gradients, [m,k].</param>
    /// <param name="first">Their place among all.</param>
    /// <param name="all">All vectors without gradients, [n,k], n above 1.</param>
    /// <param name="others">The vectors that they are compared with, [n,k].</param>
    /// <returns>A number of shape []; belongs to the current dispose scope.</returns>
    public static Tensor Share(Tensor own, long first, Tensor all, Tensor others)
    {
        using var scope = NewDisposeScope();
        var (count, length) = (all.shape[0], all.shape[1]);
        var (across, within) = (Sum(own, first, others), Sum(own, first, all));

        // A distance within belongs to two vectors, of which the other has no gradient here.
        var twice = within.Times(2) - within.detach();
        var other = Sum(others.narrow(0, first, own.shape[0]), first, others);
        return (across.Times(2) - twice - other).Over(count * (count - 1) * Math.Sqrt(length)).MoveToOuterDisposeScope();
    }

    // Of all pairs of different places. A vector and itself, made again with other rounding, would have a gradient as long as any.
    private static Tensor Sum(Tensor x, long first, Tensor y)
    {
        // Not by products, which lose the small distances of long vectors.
        var distances = cdist(x, y, 2, compute_mode.donot_use_mm_for_euclid_dist);
        return distances.sum() - distances.diagonal(first).sum();
    }
}
