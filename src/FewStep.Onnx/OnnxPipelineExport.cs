using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Onnx.Proto;
using FewStep.Onnx.Writing;
using FewStep.Text;
using Google.Protobuf;
using System.Text.Json;

namespace FewStep.Onnx;

/// <summary>Writes a model of latents as the folder of a pipeline: each network a file of ONNX with its configuration, beside what the
/// pipeline's other programs need of scheduler and tokenizers.</summary>
internal sealed class OnnxPipelineExport
{
    private const double Tolerance = 1e-4;
    private const int LargestText = 64 << 20;
    private const string IndexName = DiffusersPipeline.IndexName, ClassKey = "_class_name";

    private static readonly string[] Runtime = ["diffusers", "OnnxRuntimeModel"];

    private readonly Model _model;
    private readonly ModelSource _source;
    private readonly OnnxExportOptions _options;
    private readonly DiffusersPipeline? _pipeline;
    private long _bytes;
    private double _error, _rounding;

    public OnnxPipelineExport(Model model, OnnxExportOptions options)
    {
        (_model, _options) = (model, options);
        _source = model.Source ?? throw new InvalidInputException(
            $"{model.Name} ({model.Format}) is no checkpoint; export that which it was made from.");
        if (_source.Denoiser.Device.type != TorchSharp.DeviceType.CPU)
            throw new InvalidInputException("A model that is exported must be opened on the processor.");
        if (model.Denoiser is GuidedDenoiser { GuideSeesLabels: true })
            throw new InvalidInputException("The folder of a pipeline holds one network; leave the guide out.");
        string? root = _source.Pipeline;
        _pipeline = root is null ? null : DiffusersPipeline.Locate(root);
    }

    /// <summary>Weights that take more bytes are written into a file beside the model's.</summary>
    public long LargestFile { get; init; } = OnnxWeights.LargestFile;

    /// <summary>Whether a model's export is a pipeline: it is told texts, or denoises latents that it also decodes.</summary>
    public static bool Is(Model model) => model.Config.Network is { Text: not null }
        || model is { Autoencoder: not null, Config.LatentScaling: null }; // EDM2's networks go out alone

    /// <summary>Writes the folder, which must not exist or be empty.</summary>
    /// <param name="sampler">Written beside; null for none.</param>
    public OnnxExported Write(string folder, Sampler? sampler)
    {
        if (sampler is null && _model.Guidance is not null)
        {
            throw new InvalidInputException("Who samples the folder of a pipeline says the guidance; leave it out here, or give the "
                + "sampler that was fitted under it.");
        }

        AtomicFolder.Write(folder, place =>
        {
            var written = new List<string>();
            Write(place, Denoiser(), written);
            if (_source.Autoencoder is { } autoencoder)
            {
                Write(place, new DecoderPart(autoencoder), written);
                Write(place, new EncoderPart(autoencoder), written);
            }

            foreach (var (encoder, tokenizer, part) in TextEncoding.Folders)
            {
                WriteTextEncoder(place, encoder, part, written);
                CopyTexts(place, tokenizer);
            }

            CopyTexts(place, "scheduler");
            WriteIndex(place, written);
            if (sampler is not null)
                Bound(sampler, place).Save(Path.Combine(place, FormattableString.Invariant($"n{sampler.Steps}.sampler.json")));
        });
        return new(_bytes, 1, _error, _rounding);
    }

    private PipelineNetwork Denoiser()
    {
        var (denoiser, shape) = (_source.Denoiser, _source.Config.Shape);
        return denoiser.Network switch
        {
            ConditionUNet network => new ConditionUNetPart("unet", network, shape, denoiser.Weights),
            DiT network => new DiTPart("transformer", network, shape, denoiser.Weights),
            SD3Transformer network => new SD3Part("transformer", network, shape, denoiser.Weights),
            FluxTransformer network => new FluxPart("transformer", network, denoiser.Weights),
            var other => throw new InvalidInputException($"{_model.Name} is a pipeline with a {other.GetType().Name}, which is no network "
                + "of ONNX pipelines. Export its schedule or sampler for another program."),
        };
    }

    private void WriteTextEncoder(string place, string name, LoraPart? part, List<string> written)
    {
        if (_pipeline is null || ConfigIn(name) is not { } config)
            return;
        string folder = Path.Combine(_pipeline.Root, name);
        using var encoder = TextEncoder.Open(folder, new()
        {
            Variant = _source.Variant,
            Weights = _source.OneFile?.Texts.GetValueOrDefault(name),
            Loras = part is null ? [] : _source.Loras,
            Part = part ?? LoraPart.TextEncoder,
        });
        string path = Path.Combine(folder, DiffusersPipeline.ConfigName);
        Write(place, encoder.Network is T5Network
            ? new T5Part(name, encoder, TextConfig.Read<T5Options>(path, config))
            : new ClipTextPart(name, encoder, TextConfig.Read<ClipTextOptions>(path, config)), written);
    }

    private void Write(string place, PipelineNetwork part, List<string> written)
    {
        using var scope = NewDisposeScope();
        using var noGradient = no_grad();
        string file = Path.Combine(place, part.Folder, Model.OnnxNetworkName), beside = $"{Model.OnnxNetworkName}_data";
        if (OnnxWeights.BytesOf(part.Layout, _options.HalfWeights) <= LargestFile)
        {
            Save(file, Graph(part, null));
        }
        else
        {
            ModelProto? model = null;
            AtomicFile.Write(Path.Combine(place, part.Folder, beside), stream => model = Graph(part, new OutsideWeights(stream, beside)));
            Save(file, model!);
            _bytes += new FileInfo(Path.Combine(place, part.Folder, beside)).Length;
        }

        _bytes += new FileInfo(file).Length;
        Check(part, file);
        if (ConfigOf(part.Folder) is { } config)
            JsonFile.Write(Path.Combine(place, part.Folder, DiffusersPipeline.ConfigName), config);
        written.Add(part.Folder);
    }

    private ModelProto Graph(PipelineNetwork part, OutsideWeights? outside)
    {
        var said = new Dictionary<string, string>
        {
            ["fewstep.model"] = _model.Name,
            ["fewstep.model_sha256"] = _source.Hash,
            ["fewstep.license"] = _options.License,
        };
        var graph = new OnnxGraph(part.Folder, said, _options.HalfWeights, outside);
        part.Write(graph);
        return graph.Finish();
    }

    private static void Save(string file, ModelProto model) => AtomicFile.Write(file, model.WriteTo);

    private void Check(PipelineNetwork part, string file)
    {
        var trial = part.Trial();
        var given = trial.ToDictionary(t => t.Name, t => t.Value);
        IReadOnlyList<(string Name, Tensor Value)> Own(bool half)
        {
            var stored = OnnxWeights.AsStored(part.Layout, part.Weights, half);
            return part.Evaluate(ForwardPass.Over(part.Layout, stored, ScalarType.Float32), given);
        }

        var expected = Own(_options.HalfWeights);
        IReadOnlyList<Tensor> made;
        using (var session = new OnnxSession(file, 0))
        {
            made = session.Run(
                [.. trial.Select(t => (t.Name, t.Value.contiguous(), session.Inputs[t.Name].ElementDataType, t.Value.shape))],
                [.. expected.Select(e => e.Name)]);
        }

        double Largest(IReadOnlyList<(string Name, Tensor Value)> own)
            => own.Zip(made).Max(p => OnnxExport.Difference(p.Second, p.First.Value));
        double error = Largest(expected);
        if (!(error <= Tolerance))
        {
            throw new InvalidInputException(InvariantText.Of(
                $"What ONNX Runtime computes of {part.Folder} differs from the model's own by {error:G3} of the largest value, so nothing "
                    + $"was written."));
        }

        _error = Math.Max(_error, error);
        if (_options.HalfWeights)
            _rounding = Math.Max(_rounding, Largest(Own(half: false)));
    }

    // The configuration that goes with a part, and with the network the size of its latents.
    private Dictionary<string, JsonElement>? ConfigOf(string part)
    {
        if (part is "vae_decoder" or "vae_encoder")
        {
            var coder = ConfigIn(Path.GetFileName(_pipeline!.Autoencoder!));
            coder?.TryAdd("scaling_factor", JsonSerializer.SerializeToElement(_source.Autoencoder!.Options.ScalingFactor));
            return coder; // older ones leave the factor out, and optimum then assumes another
        }

        if (part is not ("unet" or "transformer"))
            return ConfigIn(part);
        if (_pipeline is null || !File.Exists(_pipeline.Config))
            return null;
        var config = JsonFile.ReadPython(_pipeline.Config);
        if (_source.Config.Network is not FluxTransformerOptions)
            config["sample_size"] = JsonSerializer.SerializeToElement(_source.Config.Shape.Height);
        return config;
    }

    private Dictionary<string, JsonElement>? ConfigIn(string part)
    {
        string path = Path.Combine(_pipeline!.Root, part, DiffusersPipeline.ConfigName);
        return File.Exists(path) ? JsonFile.ReadPython(path) : null;
    }

    private void CopyTexts(string place, string part)
    {
        string from = _pipeline is null ? "" : Path.Combine(_pipeline.Root, part);
        if (_pipeline is null || !Directory.Exists(from))
            return;
        foreach (string file in Directory.EnumerateFiles(from).Order(StringComparer.Ordinal))
        {
            byte[] content = InputFile.ReadAll(file, LargestText);
            AtomicFile.Write(Path.Combine(place, part, Path.GetFileName(file)), stream => stream.Write(content));
        }
    }

    // The index of the pipeline that it was made from, with ONNX's networks in place of its own.
    private void WriteIndex(string place, List<string> written)
    {
        string path = _pipeline is null ? "" : Path.Combine(_pipeline.Root, IndexName);
        var given = File.Exists(path) ? JsonFile.ReadPython(path) : [];
        var index = new SortedDictionary<string, object?>(StringComparer.Ordinal) { [ClassKey] = ClassOf(given) };
        foreach (var (key, value) in given)
        {
            bool isPart = value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 2;
            if (key != ClassKey && (!isPart || key == "scheduler" || key.StartsWith("tokenizer", StringComparison.Ordinal)))
                index[key] = value;
            else if (isPart && !written.Contains(key) && !OtherNetworks.IsAutoencoder(OtherNetworks.Text(value[1]) ?? ""))
                index[key] = new string?[] { null, null }; // safety checkers and the like
        }

        foreach (string part in written)
            index[part] = Runtime;
        if (index[ClassKey] is "StableDiffusionPipeline")
            (index["safety_checker"], index["requires_safety_checker"]) = (new string?[] { null, null }, false);
        JsonFile.Write(Path.Combine(place, IndexName), index);
    }

    // diffusers' own class: optimum finds its pipelines by that, and diffusers' OnnxStableDiffusionPipeline asks for none.
    private string ClassOf(Dictionary<string, JsonElement> index) => OtherNetworks.Text(index, ClassKey)
        ?? _source.Denoiser.Network switch
        {
            ConditionUNet { IsToldSizes: true } => "StableDiffusionXLPipeline",
            ConditionUNet => "StableDiffusionPipeline",
            SD3Transformer => "StableDiffusion3Pipeline",
            FluxTransformer => "FluxPipeline",
            _ => "DiTPipeline",
        };

    // A fitted sampler is bound to the network, which is another file now.
    private Sampler Bound(Sampler sampler, string place)
    {
        if (sampler.Origin.ModelHash is null)
            return sampler;
        using var model = Model.Open(place, new() { Guidance = _model.Guidance, NeedsNoPrompts = true });
        return sampler with { Origin = sampler.Origin with { ModelHash = model.NetworkHash } };
    }
}
