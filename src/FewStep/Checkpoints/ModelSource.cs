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

    /// <summary>Variant of the pipeline's weights that belongs to the network; null for the usual one.</summary>
    public string? Variant { get; init; }

    /// <summary>One file in latent-diffusion's names, whose autoencoder and text encoders are read in place of the pipeline's; null for
    /// none.</summary>
    public LatentDiffusionParts? OneFile { get; init; }

    /// <summary>Whether the weights are a moving average beside others in the same file.</summary>
    public bool IsAverage { get; init; }

    /// <summary>The pipeline as <c>config.json</c> names it, with whole paths where it was found; null where it names none, or another was
    /// named.</summary>
    public PipelineMemory? Memory { get; init; }

    /// <summary>Why that pipeline was not taken, in one line; null where it was, or none is named.</summary>
    public string? Missing { get; init; }

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
            string loras = string.Concat(source.Loras.Select(lora => InvariantText.Of($"\nwith {lora.File.Hash} times {lora.Scale:R}")));
            source = source.Placed(options ?? new ModelReadOptions());
            if (device is not null)
            {
                source.Denoiser.MoveTo(device);
                source.Autoencoder?.MoveTo(device);
            }

            string weights = source.OneFile is { } file && file.Path == source.WeightsPath ? file.Hash.Value
                : Sha256.OfFiles(source.WeightsFiles);
            if (source.IsAverage)
                weights += "\nits moving average";
            return source with { Hash = HashOf(source.Config, weights + loras) };
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    // With the other parts of the pipeline that is named, or that its folder remembers.
    private ModelSource Placed(ModelReadOptions options)
    {
        if (options.Pipeline is not string pipeline)
        {
            return options.PipelineFile is null ? options.Alone ? this with { Memory = null } : Remembered()
                : throw new InvalidInputException($"{options.PipelineFile} has parts of a pipeline, which do not say how they are built. "
                    + "Give the folder of a pipeline of its kind too.");
        }

        return OneFile is not null ? this // read with them
            : (this with { Memory = null }).In(pipeline, options.PipelineFile, Variant, needsAutoencoder: true);
    }

    private ModelSource Remembered()
    {
        if (Memory is not { } memory)
            return this;
        string path = Path.GetDirectoryName(WeightsPath)!;
        var loras = new List<(LoraFile, double)>();
        try
        {
            memory = memory.At(path);
            if (memory.Lost is string lost)
            {
                string with = lost == memory.Folder ? "" : $" with {lost}";
                throw new InvalidInputException(
                    $"{path} belongs to the pipeline {memory.Folder}{with}, which is not there. Give the folder of its pipeline.");
            }

            foreach (var lora in memory.Loras ?? [])
                loras.Add((new Lora(lora.File, lora.Scale).Read(), lora.Scale));
            bool decodes = memory.Parts.ContainsKey(PipelineMemory.Autoencoder);
            return In(memory.Folder, memory.File, memory.Variant, needsAutoencoder: decodes) with { Memory = memory, Loras = loras };
        }
        catch (InvalidInputException e)
        {
            loras.ForEach(lora => lora.Item1.Dispose());
            return this with { Memory = null, Missing = e.Message };
        }
    }

    // Among the other parts of a pipeline than those that it lay with.
    private ModelSource In(string pipeline, string? file, string? variant, bool needsAutoencoder)
    {
        if (!Config.Network.IsOfPipelines && Config.LatentScaling is null)
            throw new InvalidInputException($"{WeightsPath} holds no network of a diffusers pipeline's latents; leave the pipeline out.");
        pipeline = HubCache.Snapshot(pipeline);
        var place = new DiffusersPipeline(pipeline, pipeline);
        LatentDiffusionParts? parts = null;
        string? remark = null;
        if (file is not null)
            (parts, remark) = LatentDiffusionParts.Of(file).In(place, withNetwork: false);
        string? folder = place.Autoencoder ?? (AutoencoderFolder.IsOne(pipeline) ? pipeline : null);
        if (folder is null && needsAutoencoder)
            throw new InvalidInputException($"{pipeline} holds no autoencoder (vae); give the folder of a diffusers pipeline.");
        var autoencoder = folder is null ? null
            : AutoencoderFolder.For(Config.Shape, folder, variant, Config.LatentScaling, parts?.Autoencoder);
        Autoencoder?.Dispose();
        return this with
        {
            Autoencoder = autoencoder,
            Pipeline = pipeline,
            Variant = variant,
            OneFile = parts,
            Remarks = remark is null ? Remarks : [.. Remarks, remark],
        };
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
        => Sha256.Of(config.OfNetworkAlone() + weightsHash);
}
