using FewStep.Networks;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Checkpoints;

/// <summary>Fills networks from tensors in anybody's names, completely and with nothing left over.</summary>
internal static class ForeignWeights
{
    /// <summary>Builds a denoiser. Besides the given tensors it needs the memory of one set of float32 weights.</summary>
    /// <param name="config">What the model is.</param>
    /// <param name="network">Its network; owned from now on, and freed when this fails.</param>
    /// <param name="map">Where each parameter is found; parameters and buffers that are not in it keep what the network has.</param>
    /// <param name="tensors">Tensors by name; not changed.</param>
    /// <param name="source">Where they come from, for messages.</param>
    /// <returns>The denoiser; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">A tensor is missing, unknown, of another shape, or not finite.</exception>
    public static NetworkDenoiser Build(ModelConfig config, Network network, IReadOnlyList<ForeignWeight> map, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        try
        {
            using var noGradient = no_grad();
            var preconditioning = config.Preconditioning.Build(); // first, for it may refuse
            Check(map, tensors, source);
            var byName = map.ToDictionary(weight => weight.Name, StringComparer.Ordinal);
            foreach (var (name, buffer) in network.Buffers)
            {
                if (byName.TryGetValue(name, out ForeignWeight? weight))
                {
                    using var scope = NewDisposeScope();
                    buffer.copy_(Find(weight, tensors, source));
                }
            }

            var flat = network.Layout.Flatten(spec => Find(byName[spec.Name], tensors, source));
            return new NetworkDenoiser(network, preconditioning, config.Shape, config.Classes, flat, config.PatchSize);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    // All shapes first: a few numbers in a file must not make memory for a network that it does not hold.
    private static void Check(IReadOnlyList<ForeignWeight> map, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        var known = map.SelectMany(weight => weight.Parts).ToHashSet(StringComparer.Ordinal);
        if (tensors.Keys.FirstOrDefault(name => !known.Contains(name)) is string unknown)
        {
            throw new InvalidInputException($"{source} holds {Printable.Text(unknown)}, which its architecture does not have.");
        }

        foreach (ForeignWeight weight in map)
        {
            foreach (string part in weight.Parts)
            {
                Tensor tensor = tensors.GetValueOrDefault(part) ?? throw new InvalidInputException($"{source} lacks {Printable.Text(part)}, which its architecture has.");
                if (!weight.Fits(tensor.shape))
                {
                    throw new InvalidInputException($"{source}: {Printable.Text(part)} has shape [{string.Join(',', tensor.shape)}], its architecture needs [{string.Join(',', weight.PartShape)}].");
                }
            }
        }
    }

    private static Tensor Find(ForeignWeight weight, IReadOnlyDictionary<string, Tensor> tensors, string source)
    {
        Tensor values = weight.FromParts([.. weight.Parts.Select(part => tensors[part])]).to(ScalarType.Float32);
        return values.isfinite().all().item<bool>()
            ? values
            : throw new InvalidInputException($"{source}: {Printable.Text(weight.Parts[0])} holds values that are not finite (NaN or infinity).");
    }
}
