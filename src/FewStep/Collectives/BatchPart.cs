namespace FewStep.Collectives;

/// <summary>The places of a batch that a rank computes.</summary>
/// <param name="First">The first of them.</param>
/// <param name="Count">How many they are.</param>
/// <param name="Batch">How many the batch has.</param>
internal readonly record struct BatchPart(int First, int Count, int Batch)
{
    /// <summary>The place behind the last.</summary>
    public int End => First + Count;

    /// <summary>Its share of the batch: what its mean counts in the batch's.</summary>
    public double Share => (double)Count / Batch;

    /// <summary>All of a batch.</summary>
    public static BatchPart All(int batch) => new(0, batch, batch);

    /// <summary>The rows of what was made for the whole batch.</summary>
    /// <returns>A view; it belongs to the current dispose scope.</returns>
    public Tensor Of(Tensor whole) => whole.narrow(0, First, Count);
}
