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

    /// <summary>What its latents are decoded by; null where it denoises images. Owned here.</summary>
    public Autoencoder? Autoencoder { get; init; }

    /// <summary>Folder of the pipeline whose text encoders belong to the network; null where there is none.</summary>
    public string? Pipeline { get; init; }

    /// <summary>What was fused into the weights, and is to be into text encoders. Owned here.</summary>
    public IReadOnlyList<(LoraFile File, double Scale)> Loras { get; init; } = [];

    /// <summary>SHA-256 of all that determines what the model computes: the configuration but for its names and what decodes its latents,
    /// and the file of the weights. Lower-case hexadecimal.</summary>
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
            if (options?.Pipeline is string pipeline)
                source = source.In(pipeline);
            if (device is not null)
            {
                source.Denoiser.MoveTo(device);
                source.Autoencoder?.MoveTo(device);
            }

            string loras = string.Concat(source.Loras.Select(lora => InvariantText.Of($"\nwith {lora.File.Hash} times {lora.Scale:R}")));
            return source with { Hash = HashOf(source.Config, Sha256.OfFiles(source.WeightsFiles) + loras) };
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    // Among the other parts of a pipeline than those that it lay with.
    private ModelSource In(string pipeline)
    {
        if (!Config.Network.IsOfPipelines && Config.LatentScaling is null)
            throw new InvalidInputException($"{WeightsPath} holds no network of a diffusers pipeline's latents; leave the pipeline out.");
        pipeline = HubCache.Snapshot(pipeline);
        string folder = new DiffusersPipeline(pipeline, pipeline).Autoencoder
            ?? (AutoencoderFolder.IsOne(pipeline) ? pipeline : null)
            ?? throw new InvalidInputException($"{pipeline} holds no autoencoder (vae); give the folder of a diffusers pipeline.");
        var autoencoder = AutoencoderFolder.For(Config.Shape, folder, scaling: Config.LatentScaling);
        Autoencoder?.Dispose();
        return this with { Autoencoder = autoencoder, Pipeline = pipeline };
    }

    /// <summary>Disposes of something with the model.</summary>
    public void Own(IDisposable further) => _further.Add(further);

    public void Dispose()
    {
        _further.ForEach(f => f.Dispose());
        Autoencoder?.Dispose();
        foreach (var (lora, _) in Loras)
            lora.Dispose();
        Denoiser.Dispose();
    }

    internal static string HashOf(ModelConfig config, string weightsHash)
        => Sha256.Of(JsonSerializer.Serialize(config with { Name = "", ClassNames = null, LatentScaling = null }, JsonFile.Options)
            + weightsHash);
}
