using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Writes a model's weights alone, in the names of another code base, as safetensors.</summary>
internal static class ModelWeights
{
    // What NVlabs/edm's preconditioning classes call the network that they hold.
    private const string EdmPrefix = "model.";

    /// <summary>Writes weights and buffers as the state dictionary of an NVlabs/edm network: its <c>load_state_dict</c> takes them, all
    /// float32.</summary>
    public static int WriteEdm(string path, NetworkDenoiser denoiser)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        var views = denoiser.Layout.Views(denoiser.Weights);
        var tensors = denoiser.Layout.Specs.Zip(views)
            .ToDictionary(p => EdmPrefix + p.First.Name, p => p.Second.to(ScalarType.Float32).contiguous());
        foreach (var (name, buffer) in denoiser.Buffers)
            tensors[EdmPrefix + name] = buffer;

        SafetensorsFile.Write(path, tensors, new Dictionary<string, string> { ["format"] = "pt" });
        return tensors.Count;
    }
}
