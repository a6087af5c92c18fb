using FewStep.Checkpoints;
using FewStep.Networks;
using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>Adapters as they were tuned to a sampler.</summary>
/// <param name="Trained">The model with its adapters; not disposed.</param>
/// <param name="Vector">Flat float32 numbers of the adapters; owned here.</param>
/// <param name="Sampler">What they are for.</param>
/// <param name="ModelHash">What tells the network that they were trained on; null where nobody says.</param>
internal sealed record TunedLora(Trainable Trained, Tensor Vector, Sampler Sampler, string? ModelHash) : IDisposable
{
    /// <summary>Name of the file in the folder of a tuning.</summary>
    public const string FileName = "lora.safetensors";

    /// <summary>Writes the file of the LoRA, which also says rank, alpha, the hash of its model, and the sampler.</summary>
    public void Save(string path, LoraNames names, ScalarType type = ScalarType.Float32)
    {
        var adapters = Trained.Adapters!;
        var metadata = new Dictionary<string, string>
        {
            ["fewstep_rank"] = InvariantText.Of($"{adapters.Rank}"),
            ["fewstep_alpha"] = InvariantText.Of($"{adapters.Alpha:R}"),
            ["fewstep_sampler"] = SamplerFile.Text(Sampler),
        };
        if (ModelHash is not null)
            metadata["fewstep_model"] = ModelHash;
        LoraWriter.Write(path, Trained.Model.Network, adapters, Vector, names, metadata, type);
    }

    public void Dispose() => Vector.Dispose();
}
