using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>A model read from somebody's checkpoint. Owns the denoiser; dispose it.</summary>
/// <param name="Denoiser">The denoiser with float32 weights; owned here.</param>
/// <param name="Format">What was read, in words, e.g. <c>model folder</c>.</param>
/// <param name="WeightsPath">The file that holds the weights: the pickle, or the folder's safetensors file.</param>
/// <param name="Remarks">One sentence for each thing that the checkpoint does not say and that was assumed, or that its user should
/// know.</param>
internal sealed record ModelSource(
    ModelConfig Config, NetworkDenoiser Denoiser, string Format, string WeightsPath, IReadOnlyList<string> Remarks) : IDisposable
{
    private readonly List<IDisposable> _further = [];

    /// <summary>All files of the weights, in order, where they are several.</summary>
    public IReadOnlyList<string> WeightsFiles { get; init; } = [WeightsPath];

    /// <summary>What its latents are decoded by; null where it denoises images. Owned here where it is disposable.</summary>
    public IAutoencoder? Autoencoder { get; init; }

    /// <summary>What turns prompts into conditions; null where it takes none. Owned here where it is disposable.</summary>
    public IPromptEncoder? PromptEncoder { get; init; }

    /// <summary>SHA-256 of all that determines what the model computes: the configuration but for its names, and the file of the weights.
    /// Lower-case hexadecimal.</summary>
    public string Hash { get; private init; } = "";

    /// <summary>Reads a model in any accepted form, which its content tells, not its name.</summary>
    /// <returns>The model; the caller owns it.</returns>
    public static ModelSource Open(string path, ModelReadOptions? options = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        options?.Validate();
        var source = CheckpointFormats.Read(path, options ?? new ModelReadOptions());
        try
        {
            if (device is not null)
                source.Denoiser.MoveTo(device);
            return source with { Hash = HashOf(source.Config, HashOfWeights(source.WeightsFiles)) };
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    /// <summary>Disposes of something with the model.</summary>
    public void Own(IDisposable further) => _further.Add(further);

    public void Dispose()
    {
        _further.ForEach(f => f.Dispose());
        (Autoencoder as IDisposable)?.Dispose();
        (PromptEncoder as IDisposable)?.Dispose();
        Denoiser.Dispose();
    }

    private static string HashOfWeights(IReadOnlyList<string> files) => files is [var only] ? Sha256.OfFile(only)
        : Sha256.Of(string.Join('\n', files.Select(Sha256.OfFile)));

    internal static string HashOf(ModelConfig config, string weightsHash)
        => Sha256.Of(JsonSerializer.Serialize(config with { Name = "", ClassNames = null }, JsonFile.Options) + weightsHash);
}
