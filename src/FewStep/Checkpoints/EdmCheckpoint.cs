using static TorchSharp.torch;

namespace FewStep.Checkpoints;

/// <summary>A network of an NVlabs/edm pickle: its classes, options and tensors. Disposing it frees the tensors.</summary>
public sealed class EdmCheckpoint : IDisposable
{
    internal EdmCheckpoint(string path, EdmModule network, Dictionary<string, Tensor> state)
    {
        (Path, Network, State) = (path, network, state);
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The outermost module, e.g. of class <c>EDMPrecond</c>.</summary>
    public EdmModule Network { get; }

    /// <summary>Parameters and persistent buffers by dotted name, e.g. <c>model.enc.32x32_conv.weight</c>, on the CPU in the file's types.</summary>
    public IReadOnlyDictionary<string, Tensor> State { get; }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (Tensor tensor in State.Values)
        {
            tensor.Dispose();
        }
    }
}

/// <summary>A module of a network.</summary>
/// <param name="Name">Name in its parent, e.g. <c>model</c>.</param>
/// <param name="ClassName">Python class, e.g. <c>SongUNet</c>.</param>
/// <param name="PositionalArguments">Number of unnamed arguments that it was made with.</param>
/// <param name="InitArguments">Keyword arguments that it was made with.</param>
/// <param name="Attributes">Its attributes, e.g. <c>sigma_data</c>.</param>
/// <param name="Children">Its modules in their order.</param>
public sealed record EdmModule(string Name, string ClassName, int PositionalArguments, ModuleArguments InitArguments, ModuleArguments Attributes, IReadOnlyList<EdmModule> Children)
{
    /// <summary>The module of a name directly in this one; null where there is none.</summary>
    /// <param name="name">Its name.</param>
    public EdmModule? Child(string name) => Children.FirstOrDefault(child => child.Name == name);
}
