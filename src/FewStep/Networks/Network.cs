namespace FewStep.Networks;

/// <summary>A network as a function of its weights: it knows names, shapes and arithmetic, and holds no parameter values.</summary>
internal abstract class Network : IDisposable
{
    public ParameterLayout Layout => Builder.Layout;

    /// <summary>Untrained tensors that belong to the checkpoint (float32), by name; owned by the network.</summary>
    public IReadOnlyDictionary<string, Tensor> Buffers => Builder.Buffers;

    /// <summary>Probability with which a feature is dropped while training.</summary>
    public abstract double Dropout { get; }

    /// <summary>Whether its blocks can be evaluated again in the backward pass.</summary>
    public virtual bool RecomputesBlocks => false;

    protected NetworkBuilder Builder { get; } = new();

    /// <summary>Moves the buffers to the device that the weights lie on.</summary>
    public void MoveBuffers(Device device) => Builder.MoveBuffers(device);

    /// <param name="x">Scaled input [B,C,H,W] in the compute type.</param>
    /// <param name="noiseLabels">Noise labels [B], float32.</param>
    /// <param name="condition">What it is told beside them; null for nothing.</param>
    /// <returns>[B,C',H,W] in the compute type; belongs to the current dispose scope.</returns>
    public abstract Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition);

    public void Dispose()
    {
        foreach (var buffer in Buffers.Values)
            buffer.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>One-hot class labels float32 [batch, count], zeros for "none".</summary>
    internal static Tensor OneHot(Tensor? classes, long batch, int count, Device device)
    {
        if (classes is null)
            return zeros([batch, count], ScalarType.Float32, device);
        using var end = TensorArithmetic.Number(count);
        var each = arange(TensorArithmetic.Zero, end, TensorArithmetic.One, dtype: ScalarType.Int64, device: device);
        return classes.unsqueeze(1).eq(each).to(ScalarType.Float32);
    }
}
