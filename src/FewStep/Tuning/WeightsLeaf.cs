namespace FewStep.Tuning;

/// <summary>Flat weights as a loss is differentiated in them.</summary>
internal static class WeightsLeaf
{
    // Of fewer weights the gradient takes little memory, and one split is quicker than a leaf for each parameter.
    private const long LeastInPlace = 1 << 24;

    /// <summary>A leaf on the memory of the weights. Where these are many its gradient is there from the beginning, so that backward
    /// passes add to it in place.</summary>
    /// <returns>It belongs to the current dispose scope.</returns>
    public static Tensor Of(Tensor weights)
    {
        var leaf = weights.detach().requires_grad_();
        if (weights.NumberOfElements >= LeastInPlace)
            leaf.grad = zeros_like(weights);
        return leaf;
    }
}
