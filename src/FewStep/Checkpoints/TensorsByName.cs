namespace FewStep.Checkpoints;

/// <summary>Tensors by name, outside of any dispose scope; disposing it frees them.</summary>
internal sealed class TensorsByName() : Dictionary<string, Tensor>(StringComparer.Ordinal), IDisposable
{
    /// <summary>Takes the tensors out of their dispose scope.</summary>
    public TensorsByName Detached()
    {
        foreach (Tensor tensor in Values)
            tensor.DetachFromDisposeScope();
        return this;
    }

    public void Dispose()
    {
        foreach (Tensor tensor in Values)
            tensor.Dispose();
    }
}
