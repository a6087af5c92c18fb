using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Models;
using FewStep.Networks;
using FewStep.Text;
using System.Text.Json;

namespace FewStep.Onnx;

/// <summary>Folders of ONNX networks as optimum and OnnxStack lay them out: <c>unet</c> or <c>transformer</c>, <c>text_encoder</c>,
/// <c>vae_decoder</c>, <c>vae_encoder</c>, <c>tokenizer</c>, <c>scheduler</c>. Without <c>vae_decoder</c> the latents are the
/// images.</summary>
internal sealed class OnnxPipeline : IDisposable
{
    private const int FoldedPixels = TransformerFolder.PatchOfFlows * TransformerFolder.PatchOfFlows;

    private readonly List<IDisposable> _owned = [];
    private readonly List<string> _remarks = [];

    private OnnxPipeline()
    {
    }

    /// <summary>Opens a pipeline.</summary>
    public static OpenedModel Open(string folder, ModelOptions options)
    {
        OpenedModel.RefuseNetworkOptions(folder, options, "an ONNX pipeline");
        var pipeline = new OnnxPipeline();
        try
        {
            return pipeline.Read(folder, options);
        }
        catch
        {
            pipeline.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        for (int i = _owned.Count - 1; i >= 0; i--)
            _owned[i].Dispose();
    }

    private OpenedModel Read(string folder, ModelOptions options)
    {
        string part = Model.OnnxNetworkFolders.First(name => File.Exists(Path.Combine(folder, name, Model.OnnxNetworkName)));
        var autoencoder = Autoencoder(folder, options);
        PromptConditions? prompts = null;
        double? told = null;
        var (noise, remarks) = Noise(folder);
        // Its shape is that of images, wherever there are any.
        var shape = options.Onnx.Shape is { } images && autoencoder is not null ? autoencoder.LatentsOf(images) : options.Onnx.Shape;
        var given = options.Onnx with { Shape = shape };
        var around = new OnnxSurroundings
        {
            Description = Describe(Path.Combine(folder, part)),
            Noise = noise,
            Conditions = signature =>
            {
                told = GuidanceTold(signature, options);
                return prompts = Prompts(folder, part, signature, autoencoder, options, told);
            },
        };
        string path = Path.Combine(folder, part, Model.OnnxNetworkName);
        var model = Owned(OnnxModel.Open(path, given, options.Threads, options.Provider, around));
        if (autoencoder is null)
            _remarks.Add($"{folder} has no vae_decoder: its latents are taken for images, which no picture can show.");
        var denoiser = model.Denoiser;
        return new OpenedModel
        {
            Denoiser = denoiser,
            Config = new ModelConfig
            {
                Name = options.Onnx.Name ?? Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder))),
                Shape = denoiser.Shape,
                Classes = denoiser.Classes,
                ClassNames = prompts is null ? model.Description.ClassNames : null,
                Preconditioning = new() { Kind = model.Preconditioning, SigmaMin = denoiser.SigmaMin, SigmaMax = denoiser.SigmaMax },
            },
            Hash = model.Hash,
            Format = "ONNX pipeline",
            NumberFormat = OnnxFormat.NumberFormat(options.Provider),
            Family = NoiseFamily.At(folder, denoiser.Preconditioning, denoiser.Shape),
            KnowsNoClass = denoiser.KnowsNoClass,
            Remarks = [.. remarks, .. _remarks],
            Autoencoder = autoencoder,
            Prompts = prompts,
            GuidanceTold = told,
            Owned = this,
        };
    }

    private OnnxAutoencoder? Autoencoder(string folder, ModelOptions options)
    {
        if (OnnxPart.Open(folder, "vae_decoder", options.Threads, options.Provider) is not { } decoder)
            return null;
        Owned(decoder);
        var encoder = OnnxPart.Open(folder, "vae_encoder", options.Threads, options.Provider);
        if (encoder is not null)
            Owned(encoder);
        return new OnnxAutoencoder(decoder, encoder);
    }

    private PromptConditions Prompts(
        string folder, string network, OnnxSignature signature, OnnxAutoencoder? autoencoder, ModelOptions options, double? guidanceTold)
    {
        if (!TextEncoding.Folders.Any(part => File.Exists(Path.Combine(folder, part.Encoder, Model.OnnxNetworkName))))
        {
            throw new InvalidInputException($"{folder}: its {network} takes {Printable.Text(signature.Context!.Name)}, but there is no "
                + $"{TextEncoding.Folders[0].Encoder}/{Model.OnnxNetworkName}. Give the folder of the whole pipeline.");
        }

        if (signature.Sizes is not null && autoencoder is null)
            throw new InvalidInputException($"{folder}: its {network} is told the size of images, which vae_decoder says; add it.");
        var encoder = Owned(TextEncoding.Open(
            folder,
            new()
            {
                Told = signature.Sizes is null ? null : autoencoder!.ImagesOf(signature.Shape),
                Tokens = signature is { IsPacked: true, Guidance: null } ? FluxTransformerOptions.TokensOfSchnell : null,
                Context = signature.Context!.Sizes is [.., > 0 and var width] ? width : null,
            },
            (part, _) => OnnxTextEncoder.Open(folder, part, options.Threads, options.Provider)));
        _remarks.AddRange(encoder.Remarks);
        RequireWidth(folder, signature.Context, encoder.Widths.Context);
        RequireWidth(folder, signature.Pooled, encoder.Widths.Pooled);
        return Owned(OpenedModel.RequirePrompts(folder, options, encoder, guidanceTold));
    }

    // Of what its file does not say, ONNX Runtime does.
    private static void RequireWidth(string folder, OnnxInput? input, int? given)
    {
        if (input?.Sizes is [.., > 0 and var width] && given is { } made && width != made)
        {
            throw new InvalidInputException($"{folder}: its network takes {Printable.Text(input.Name)} of {width} numbers, its text "
                + $"encoders give {made}: they do not belong together.");
        }
    }

    private static double? GuidanceTold(OnnxSignature signature, ModelOptions options) => signature switch
    {
        { EmbeddedGuidance: not null } => ConditionUNetOptions.Told(options.Guidance?.Weight),
        { Guidance: not null } => FluxTransformerOptions.Told(options.Guidance?.Weight),
        _ => null,
    };

    private T Owned<T>(T part)
        where T : IDisposable
    {
        _owned.Add(part);
        return part;
    }

    private static (PreconditioningConfig? Noise, IReadOnlyList<string> Remarks) Noise(string folder)
    {
        string path = Path.Combine(folder, DiffusersPipeline.SchedulerName);
        if (!File.Exists(path))
            return (null, []);
        var (noise, remarks) = DiffusersNoise.Read(path);
        return (noise, remarks);
    }

    // What the configuration of the network says that its file may leave open.
    private static OnnxModelDescription Describe(string folder)
    {
        string path = Path.Combine(folder, DiffusersPipeline.ConfigName);
        if (!File.Exists(path))
            return new();
        var config = JsonFile.ReadPython(path);
        int? Number(string key) => config.TryGetValue(key, out var value) && value.ValueKind == JsonValueKind.Number
            && value.TryGetInt32(out int number) && number is >= 1 and <= 65536 ? number : null;
        // A class-conditional transformer's null label follows its classes.
        var classes = Number("num_embeds_ada_norm");
        return new()
        {
            Shape = (Number("in_channels"), Number("sample_size"), OtherNetworks.ClassOf(config)) switch
            {
                (int folded, _, "FluxTransformer2DModel")
                    => new ImageShape(folded / FoldedPixels, TransformerFolder.UsualSide, TransformerFolder.UsualSide),
                (int channels, int side, _) => new ImageShape(channels, side, side),
                _ => null,
            },
            Classes = classes,
            UnconditionalLabel = classes,
        };
    }
}
