using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>A part of one file in latent-diffusion's names: the tensors under a prefix, which are read when they are asked for.</summary>
/// <param name="section">Of the file, as <see cref="StateDictionary.Read"/> takes it.</param>
/// <param name="prefix">What the names of the part begin with, e.g. <c>first_stage_model.</c>.</param>
/// <param name="hash">SHA-256 of the file.</param>
internal abstract class LatentDiffusionPart(string path, string? section, string prefix, Lazy<string> hash) : IPartWeights
{
    public string Path => path;
    public string Hash => hash.Value;

    public TensorsByName Read(ParameterLayout layout)
    {
        using var noGradient = no_grad();
        using var all = StateDictionary.Read(path, section, name => name.StartsWith(prefix, StringComparison.Ordinal)).Tensors;
        using var scope = NewDisposeScope();
        var found = new TensorsByName();
        foreach (var (name, tensor) in Renamed(all.ToDictionary(t => t.Key[prefix.Length..], t => t.Value), layout))
        {
            if (!found.TryAdd(name, tensor.alias()))
                throw new InvalidInputException($"{path} says twice what {Printable.Text(name)} is. Fetch the file again.");
        }

        return found.Detached();
    }

    /// <summary>The tensors in other names: what has none in the layout keeps its own, and is refused by it.</summary>
    /// <param name="tensors">By what follows the prefix.</param>
    protected abstract IEnumerable<(string Name, Tensor Tensor)> Renamed(IReadOnlyDictionary<string, Tensor> tensors,
        ParameterLayout layout);
}
