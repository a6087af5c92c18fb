using FewStep.Checkpoints;
using FewStep.Models;
using FewStep.Networks;
using FewStep.Sampling;
using FewStep.Text;

namespace FewStep;

/// <content>Opening, in any form that can be sampled.</content>
public sealed partial class Model
{
    /// <summary>Name of the file in a model folder that holds its sampler.</summary>
    internal const string SamplerName = "sampler.json";

    /// <summary>Name of a network's file in a part of an ONNX pipeline.</summary>
    internal const string OnnxNetworkName = "model.onnx";

    private const string OnnxExtension = ".onnx", OnnxAssembly = "FewStep.Onnx";

    /// <summary>Parts of an ONNX pipeline that may hold its network.</summary>
    internal static IReadOnlyList<string> OnnxNetworkFolders { get; } = ["unet", "transformer"];

    /// <summary>Opens whatever can be sampled, as its content says.</summary>
    /// <param name="path">
    /// A model folder (<c>config.json</c>, <c>model.safetensors</c>, and <c>sampler.json</c> where it has a sampler), a network pickle of
    /// NVlabs/edm, a state dictionary of openai/guided-diffusion or openai/consistency_models, a diffusers folder (a pipeline with text
    /// encoders and autoencoder too), an ONNX file or the folder of an ONNX pipeline (with the package FewStep.Onnx referenced), or the
    /// JSON file of a Gaussian mixture.
    /// </param>
    /// <param name="options">Number format, device, guidance, and what the file leaves open; null for the defaults.</param>
    /// <exception cref="InvalidInputException">There is nothing, nothing that is accepted, a damaged file, guidance that does not fit, or
    /// libtorch cannot be loaded.</exception>
    public static Model Open(string path, ModelOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        options ??= new ModelOptions();
        TorchLibrary.UseThreads(options.Threads);
        if (options.Guide is not null && options.Guidance is null)
            throw new InvalidInputException($"The guide {options.Guide} does nothing without guidance; give its weight.");
        if (options.ComputeType is { } type and not (ScalarType.Float32 or ScalarType.BFloat16))
            throw new InvalidInputException($"Networks compute in float32 or bfloat16, not {ComputeType.Name(type)}.");
        if (options.NegativePrompt is not null && (options.Guidance is null || options.Guide is not null))
            throw new InvalidInputException("A negative prompt does nothing without classifier-free guidance; give its weight.");
        if (options.CaptionedImages is { } images && images.Count != options.Prompts?.Count)
        {
            throw new InvalidInputException($"There are {options.Prompts?.Count ?? 0} prompts that are captions of {images.Count} images; "
                + "give each image one.");
        }

        path = CheckpointFormats.Place(path);
        var opened = Read(path, options);
        List<IDisposable> owned = [opened.Owned];
        try
        {
            if (opened.Prompts is null && (options.Prompts ?? (object?)options.NegativePrompt) is not null)
                throw new InvalidInputException($"{path} ({opened.Format}) takes no prompts; leave them out.");
            return Of(path, opened, options, owned);
        }
        catch
        {
            owned.ForEach(o => o.Dispose());
            throw;
        }
    }

    /// <summary>Opens a model on another thread; see <see cref="Open"/>.</summary>
    /// <param name="path">The model.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="cancellation">Stops before the work begins.</param>
    public static Task<Model> OpenAsync(string path, ModelOptions? options = null, CancellationToken cancellation = default)
        => Task.Run(() => Open(path, options), cancellation);

    /// <summary>Opens other weights of this model's network to compute where and as this one does, with its prompts and autoencoder, which
    /// stay this one's; guidance is not taken over.</summary>
    internal Model OpenAlike(string path)
    {
        var options = new ModelOptions
        {
            ComputeType = _options.ComputeType,
            Device = _options.Device,
            SigmaMin = _options.SigmaMin,
            SigmaMax = _options.SigmaMax,
            Checkpoint = new() { Alone = true },
        };
        var opened = Read(path, options) with { Autoencoder = Autoencoder, Prompts = Prompts, Pipeline = Pipeline };
        try
        {
            if (Prompts is not null && opened.Denoiser is NetworkDenoiser network)
                network.Conditions = Prompts;
            return Of(path, opened, options, [opened.Owned]);
        }
        catch
        {
            opened.Owned.Dispose();
            throw;
        }
    }

    // What tells the images of prompts and of an autoencoder from those of others.
    private static ModelSummary Complete(ModelSummary network, PromptConditions? prompts, IAutoencoder? autoencoder)
    {
        const int shown = 100;
        string hash = network.Hash!;
        if (prompts is not null)
            hash = Sha256.Of($"{hash}\nunder prompts\n{prompts.Identity}");
        if (autoencoder is not null)
            hash = Sha256.Of($"{hash}\ndecoded by\n{autoencoder.Hash}");
        return network with
        {
            Hash = hash,
            Shape = autoencoder?.ImagesOf(network.Shape) ?? network.Shape,
            Latents = autoencoder is null ? null : network.Shape,
            Classes = prompts?.Count ?? network.Classes,
            Prompts = prompts is null ? null : [.. prompts.Texts.Take(shown)],
            NegativePrompt = prompts is { Negative: { Length: > 0 } negative } ? negative : null,
        };
    }

    /// <summary>The model of what was opened.</summary>
    /// <param name="owned">What is disposed of with it; further parts are added.</param>
    internal static Model Of(string path, OpenedModel opened, ModelOptions options, List<IDisposable> owned)
    {
        var summary = Summarize(opened.Config, opened.Hash, opened.Parameters);
        var (denoiser, guided) = opened.GuidanceTold is { } told ? (opened.Denoiser, Told(path, summary, told, options))
            : options.Guidance is { } guidance ? Guide(path, opened, summary, guidance, options, owned)
            : (opened.Denoiser, summary);
        return new Model(denoiser, Complete(guided, opened.Prompts, opened.Autoencoder), opened.NumberFormat, owned)
        {
            NetworkHash = guided.Hash!,
            Unguided = opened.Denoiser,
            Autoencoder = opened.Autoencoder,
            Prompts = opened.Prompts,
            Pipeline = opened.Pipeline,
            Path = path,
            _options = options,
            Config = opened.Config,
            Network = opened.Denoiser as NetworkDenoiser,
            Source = opened.Owned as ModelSource,
            Format = opened.Format,
            Remarks = opened.Remarks,
            Sampler = SamplerBeside(path, denoiser),
            Family = opened.Family,
            ScheduleRange = ScheduleRange.Of(denoiser, options.SigmaMin ?? opened.Levels?.Low, options.SigmaMax ?? opened.Levels?.High),
        };
    }

    /// <summary>What reports say of a model without guidance.</summary>
    internal static ModelSummary Summarize(ModelConfig config, string hash, long parameters) => new()
    {
        Name = config.Name,
        Hash = hash,
        Parameters = parameters,
        Preconditioning = config.Preconditioning.Kind,
        Shape = config.Shape,
        Classes = config.Classes,
    };

    private static OpenedModel Read(string path, ModelOptions options)
    {
        bool isOnnx = Directory.Exists(path) ? IsOnnxPipeline(path) : path.EndsWith(OnnxExtension, StringComparison.OrdinalIgnoreCase);
        if (!isOnnx && options.Onnx != new OnnxModelDescription())
            throw new InvalidInputException($"{path} is no ONNX file; options about those are for nothing else. Leave them out.");
        if (!isOnnx && options.Provider is not null)
            throw new InvalidInputException($"{path} is computed by libtorch; a provider is for ONNX models. Leave it out.");
        return isOnnx ? OnnxFormat(path).Open(path, options)
            : path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(path) && !DiffusersWeights.IsOne(path)
            ? OpenMixture(path, options)
            : OpenCheckpoint(path, options);
    }

    // Folders that hold a network in both forms are read with the weights that can be tuned.
    private static bool IsOnnxPipeline(string folder) => OnnxNetworkFolders.Any(name => File.Exists(System.IO.Path.Combine(folder, name,
        OnnxNetworkName)) && !DiffusersWeights.Are(System.IO.Path.Combine(folder, name)));

    private static IModelFormat OnnxFormat(string path) => Type.GetType($"{OnnxAssembly}.OnnxFormat, {OnnxAssembly}") is { } type
        ? (IModelFormat)Activator.CreateInstance(type)!
        : throw new InvalidInputException($"{path} is an ONNX model; reference the package {OnnxAssembly}, which reads those.");

    private static Sampler? SamplerBeside(string path, IDenoiser denoiser)
    {
        string file = System.IO.Path.Combine(path, SamplerName);
        if (!Directory.Exists(path) || !File.Exists(file))
            return null;
        var sampler = Sampler.Read(file);
        ScheduleRange.Check(sampler.Schedule, file, denoiser);
        return sampler;
    }

    // A network that is told its guidance takes one evaluation for what takes others two.
    private static ModelSummary Told(string path, ModelSummary summary, double told, ModelOptions options)
    {
        bool isPlain = options.Guidance is null or { ActsEverywhere: true, Rescale: 0 };
        if (!isPlain || options.Guide is not null || options.NegativePrompt is not null)
        {
            throw new InvalidInputException($"{path} is a network that is told the weight of its guidance and is not guided; leave "
                + "interval, rescale, guide and negative prompt out.");
        }

        string words = InvariantText.Of($"told to the network, {told:R}");
        return summary with { Hash = Sha256.Of($"{summary.Hash}\nunder guidance\n{words}"), Guidance = words };
    }

    private static (IDenoiser Denoiser, ModelSummary Summary) Guide(
        string path, OpenedModel model, ModelSummary summary, Guidance guidance, ModelOptions options, List<IDisposable> owned)
    {
        (IDenoiser, ModelSummary) Guided(GuidedDenoiser denoiser, string words, string identity)
        {
            string hash = Sha256.Of($"{model.Hash}\nunder guidance\n{identity}");
            return (denoiser, summary with { Hash = hash, Guidance = words });
        }

        if (options.Guide is string guidePath)
        {
            // What only the processor computes hands its guide the processor's tensors.
            var device = model.Denoiser.Device.type == TorchSharp.DeviceType.CUDA ? options.Device : DeviceChoice.Cpu;
            var guide = Read(
                guidePath, options with
                { Onnx = new OnnxModelDescription(), Provider = null, Checkpoint = new ModelReadOptions(), Device = device });
            owned.Add(guide.Owned);
            return Guided(GuidedDenoiser.Auto(model.Denoiser, guide.Denoiser, guidance), $"guided by {guide.Config.Name}, {guidance}",
                $"{guidance}\n{guide.Hash}");
        }

        if (model.Denoiser.Classes > 0 && !model.KnowsNoClass)
        {
            throw new InvalidInputException(
                $"{path} was trained without label dropout, so it knows no \"no class\" for classifier-free guidance; guide it by a weaker "
                    + "model.");
        }

        return Guided(GuidedDenoiser.ClassifierFree(model.Denoiser, guidance), $"classifier-free, {guidance}", $"{guidance}");
    }

    private static OpenedModel OpenCheckpoint(string path, ModelOptions options)
    {
        var source = ModelSource.Open(path, options.Checkpoint, options.Device.Resolve());
        try
        {
            return Opened(path, source, options);
        }
        catch
        {
            source.Dispose();
            throw;
        }
    }

    private static OpenedModel Opened(string path, ModelSource source, ModelOptions options)
    {
        source.Denoiser.ComputeType = options.ComputeType ?? ComputeType.Usual(source.Denoiser.Device);
        var encoding = EncodingOf(source);
        var parts = PartsOf(source, encoding);
        if (source.Memory is { } memory && memory.Changed(parts) is string part)
        {
            source = source with
            {
                Pipeline = null,
                Missing = $"{path} belongs to the pipeline {memory.Folder}, whose {Printable.Text(part)} is missing, or another one now "
                    + "than it was made with. Put it back, or give the folder of its pipeline.",
            };
        }

        if (source.Missing is { } missing && !options.NeedsNoPipeline)
            throw new InvalidInputException(missing) { Option = nameof(ModelReadOptions.Pipeline) };
        var (prompts, remarks) = Prompted(path, source, encoding, options);
        return new OpenedModel
        {
            Denoiser = source.Denoiser,
            Config = source.Config,
            Hash = source.Hash,
            Format = source.Format,
            NumberFormat = ComputeType.Name(source.Denoiser.ComputeType),
            Parameters = source.Denoiser.Layout.Count,
            Remarks = [.. source.Remarks, .. remarks],
            KnowsNoClass = source.Config.Network.KnowsNoClass,
            Autoencoder = source.Autoencoder,
            Prompts = prompts,
            Pipeline = PipelineOf(source, parts),
            GuidanceTold = source.Config.Network.GuidanceTold(options.Guidance?.Weight),
            Family = NoiseFamily.At(path, source.Denoiser.Preconditioning, source.Denoiser.Shape),
            Owned = source,
        };
    }

    // What tells the parts beside the network from others.
    private static Dictionary<string, string> PartsOf(ModelSource source, TextEncoding? encoding)
    {
        var parts = new Dictionary<string, string>(encoding?.Parts ?? new Dictionary<string, string>(), StringComparer.Ordinal);
        if (source.Autoencoder is { } autoencoder)
            parts.Add(PipelineMemory.Autoencoder, autoencoder.Hash);
        return parts;
    }

    // What its folder would have to remember; null where nothing beside the network belongs to it.
    private static PipelineMemory? PipelineOf(ModelSource source, Dictionary<string, string> parts)
    {
        var loras = source.Loras.Where(lora => lora.File.Parts.Any(part => part != LoraPart.Denoiser)).ToList();
        return source.Pipeline is not { } folder || parts.Count == 0 ? null : new PipelineMemory
        {
            Folder = PipelineMemory.WholePath(folder),
            File = source.OneFile is { HasParts: true } file ? PipelineMemory.WholePath(file.Path) : null,
            Variant = source.Variant,
            Loras = loras.Count == 0 ? null : loras.ConvertAll(
                lora => new LoraMemory { File = PipelineMemory.WholePath(lora.File.FilePath), Scale = lora.Scale }),
            Parts = parts,
        };
    }

    // Null where there is none, or none that is read.
    private static TextEncoding? EncodingOf(ModelSource source)
    {
        bool isTold = source is { Config.Network.Text: not null, Pipeline: { } folder } && TextEncoding.Obstacle(folder) is null;
        if (!isTold)
            return null;
        var encoding = TextEncoding.Open(source.Pipeline!, new TextEncodingOptions
        {
            Device = source.Denoiser.Device,
            Variant = source.Variant,
            Weights = source.OneFile?.Texts,
            Loras = source.Loras,
            Told = source.Autoencoder?.ImagesOf(source.Config.Shape),
            Tokens = source.Config.Network.LongText,
            Context = source.Config.Network.Text!.Value.Context,
        });
        source.Own(encoding);
        return encoding;
    }

    // What a network that is told texts knows of them: prompts, or why it cannot be told any.
    private static (PromptConditions? Prompts, IReadOnlyList<string> Remarks) Prompted(
        string path, ModelSource source, TextEncoding? encoding, ModelOptions options)
    {
        var network = source.Config.Network;
        if (network.Text is not { } widths)
            return (null, source.Missing is { } missing ? [missing] : []);
        if (encoding is null || source.Pipeline is null)
        {
            bool isAlone = source.Pipeline is null;
            string obstacle = source.Missing ?? (isAlone
                ? $"{path} is told texts and holds no text encoders. Give the folder of its pipeline."
                : TextEncoding.Obstacle(source.Pipeline!)!);
            if (options.Prompts is not null)
                throw new InvalidInputException(obstacle) { Option = isAlone ? nameof(ModelReadOptions.Pipeline) : null };
            source.Denoiser.Conditions = new NoConditions(obstacle);
            return (null, [obstacle]);
        }

        if (encoding.Widths != widths)
        {
            throw new InvalidInputException($"{source.Pipeline}: its text encoders give {Words(encoding.Widths)}, its network is told "
                + $"{Words(widths)}. They do not belong together, or one of them is missing.");
        }

        if (encoding.TellsSizes && source.Autoencoder is null)
        {
            throw new InvalidInputException(
                $"{source.Pipeline}: its network is told the sizes of images, which the autoencoder in vae says; fetch that folder too.");
        }

        var prompts = OpenedModel.RequirePrompts(path, options, encoding, network.GuidanceTold(options.Guidance?.Weight));
        source.Own(prompts);
        source.Denoiser.Conditions = prompts;
        return (prompts, [.. encoding.Remarks, .. CutRemarks(encoding, prompts)]);
    }

    private static string Words(TextWidths widths)
        => InvariantText.Of($"embeddings of {widths.Context} numbers")
            + (widths.Pooled is { } pooled ? InvariantText.Of($" and pooled ones of {pooled}") : "");

    private static IEnumerable<string> CutRemarks(TextEncoding encoding, PromptConditions prompts)
    {
        const int looked = 1000;
        string of = prompts.Count > looked ? InvariantText.Of($" of the first {looked:N0}") : "";
        return encoding.CountCut(prompts.Texts.Take(looked).Append(prompts.Negative)).Select(cut => InvariantText.Of(
            $"{cut.Prompts}{of} prompts are longer than the {cut.Length} tokens that its text encoders read; their ends are cut."));
    }

    private static OpenedModel OpenMixture(string path, ModelOptions options)
    {
        OpenedModel.RefuseNetworkOptions(path, options, "the file of a mixture");
        var mixture = MixtureFile.Read(path, out var levels);
        var denoiser = new GaussianMixtureDenoiser(mixture, SigmaLimits.Smallest, SigmaLimits.Largest);
        return new OpenedModel
        {
            Denoiser = denoiser,
            Config = new ModelConfig
            {
                Name = System.IO.Path.GetFileNameWithoutExtension(path),
                Shape = mixture.Shape,
                Classes = mixture.Classes,
                Preconditioning = new() { Kind = MixtureFile.Kind, SigmaMin = levels.Low, SigmaMax = levels.High },
            },
            Hash = Sha256.OfFile(path),
            Format = "Gaussian mixture",
            Levels = levels,
            Owned = denoiser,
        };
    }
}
