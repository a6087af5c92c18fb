using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Writes the adapters of a network as a file that <see cref="LoraFile"/> and other programs read.</summary>
internal static class LoraWriter
{
    /// <summary>Refuses names that a network's adapters cannot have.</summary>
    public static void Check(Network network, LoraNames names)
    {
        if (names == LoraNames.Kohya && network is not ConditionUNet)
        {
            throw new InvalidInputException("Names of kohya's scripts are known here for the U-Nets of Stable Diffusion alone; take those "
                + "of diffusers.");
        }
    }

    /// <summary>Writes a safetensors file, whole or not at all.</summary>
    /// <param name="adapters">The adapters of <paramref name="network"/>.</param>
    /// <param name="trained">Their flat float32 numbers.</param>
    /// <param name="metadata">What else the file says of itself.</param>
    /// <param name="type">Type of the stored numbers: float32 or bfloat16.</param>
    public static void Write(string path, Network network, LoraAdapters adapters, Tensor trained, LoraNames names,
        IReadOnlyDictionary<string, string> metadata, ScalarType type = ScalarType.Float32)
    {
        Check(network, names);
        using var noGradient = no_grad();
        using var scope = NewDisposeScope();
        var views = adapters.Layout.Views(trained);
        var tensors = names == LoraNames.Kohya ? Kohya(network, adapters, views) : Diffusers(network, adapters, views);
        var all = new Dictionary<string, string>(metadata) { ["format"] = "pt" };
        if (names == LoraNames.Kohya)
        {
            all["ss_network_module"] = "networks.lora";
            all["ss_network_dim"] = InvariantText.Of($"{adapters.Rank}");
            all["ss_network_alpha"] = InvariantText.Of($"{adapters.Alpha:R}");
        }

        SafetensorsFile.Write(path, tensors.ToDictionary(t => t.Key, t => t.Value.to(type).contiguous()), all);
    }

    // Without alpha a reader takes the rank: a factor of its own would be lost on some.
    private static Dictionary<string, Tensor> Diffusers(Network network, LoraAdapters adapters, Tensor[] views)
    {
        bool isUNet = network is ConditionUNet;
        var (before, down, up) = isUNet ? ("unet.", ".lora.down.weight", ".lora.up.weight")
            : ("transformer.", ".lora_A.weight", ".lora_B.weight");
        var tensors = new Dictionary<string, Tensor>();
        foreach (var layer in adapters.Layers)
        {
            tensors.Add(before + layer.Name + down, views[layer.Down]);
            tensors.Add(before + layer.Name + up, adapters.Scale == 1 ? views[layer.Up] : views[layer.Up].Times(adapters.Scale));
        }

        return tensors;
    }

    private static Dictionary<string, Tensor> Kohya(Network network, LoraAdapters adapters, Tensor[] views)
    {
        const string weight = ".weight";
        string[] modules = [.. network.Layout.Specs.Select(spec => spec.Name).Where(name => name.EndsWith(weight, StringComparison.Ordinal))
            .Select(name => name[..^weight.Length])];
        // Its scripts know XL by the names of latent-diffusion.
        var others = ((ConditionUNet)network).IsToldSizes ? new LatentDiffusionNames(modules) : null;
        var tensors = new Dictionary<string, Tensor>();
        foreach (var layer in adapters.Layers)
        {
            string module = "lora_unet_" + (others?.Of(layer.Name) ?? layer.Name.Replace('.', '_'));
            tensors.Add(module + ".lora_down.weight", views[layer.Down]);
            tensors.Add(module + ".lora_up.weight", views[layer.Up]);
            tensors.Add(module + ".alpha", TensorArithmetic.Full([], adapters.Alpha, ScalarType.Float32));
        }

        return tensors;
    }
}
