namespace FewStep.Networks;

/// <summary>Collects parameters and buffers while a network's layers are constructed, each under its dotted path.</summary>
/// <param name="adapted">Of which layers a LoRA the matrices are adapted with.</param>
internal sealed class NetworkBuilder(
    string prefix, ParameterLayout layout, Dictionary<string, Tensor> buffers, LoraLayers adapted = LoraLayers.None)
{
    public NetworkBuilder()
        : this("", new ParameterLayout(), [])
    {
    }

    public ParameterLayout Layout => layout;

    /// <summary>Number of parameters so far.</summary>
    public int Count => layout.Specs.Count;

    /// <summary>Untrained tensors that belong to the checkpoint (float32), by dotted name.</summary>
    public Dictionary<string, Tensor> Buffers => buffers;

    /// <summary>A builder for a sub-layer: the same network, a longer path.</summary>
    public NetworkBuilder At(string name) => new($"{prefix}{name}.", layout, buffers, adapted);

    /// <summary>The same builder, whose matrices and convolutions a LoRA of some layers adapts.</summary>
    public NetworkBuilder Adapted(LoraLayers layers) => new(prefix, layout, buffers, layers);

    public int Parameter(string name, WeightInit init, params long[] shape)
        => Layout.Add(prefix + name, init, shape, shape.Length > 1 ? adapted : LoraLayers.None);

    /// <summary>The places of the parameters that were added since there were so many.</summary>
    public Range Since(int count) => count..Layout.Specs.Count;

    /// <param name="value">float32; the network owns it from now on.</param>
    public string Buffer(string name, Tensor value)
    {
        // An enclosing dispose scope would take the buffer with it.
        Buffers.Add(prefix + name, value.DetachFromDisposeScope());
        return prefix + name;
    }

    public void MoveBuffers(Device device)
    {
        using var _ = no_grad();
        foreach (string name in Buffers.Keys.ToList())
        {
            var buffer = Buffers[name];
            var moved = buffer.to(device);
            if (!ReferenceEquals(moved, buffer))
            {
                Buffers[name] = moved.DetachFromDisposeScope();
                buffer.Dispose();
            }
        }
    }
}
