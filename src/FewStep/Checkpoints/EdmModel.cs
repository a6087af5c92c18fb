using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Checkpoints;

/// <summary>Turns network pickles of NVlabs/edm into models: all architectures and preconditionings of that code base.</summary>
public static class EdmModel
{
    // The sampling range of the EDM paper, which an EDM-preconditioned network itself does not limit.
    private const double EdmSigmaMin = 0.002;
    private const double EdmSigmaMax = 80;

    private const string ModelPrefix = "model.";

    // The noise levels of iDDPM, which its options determine.
    private const string NoiseLevels = "u";

    private static readonly string[] CommonOptions =
        ["img_resolution", "in_channels", "out_channels", "label_dim", "augment_dim", "model_channels", "channel_mult", "channel_mult_emb", "num_blocks", "attn_resolutions", "dropout", "label_dropout"];

    private static readonly string[] SongOptions = ["embedding_type", "channel_mult_noise", "encoder_type", "decoder_type", "resample_filter"];

    /// <summary>Reads a model.</summary>
    /// <param name="path">The pickle.</param>
    /// <param name="network">Key of the network in it; default <c>ema</c>.</param>
    /// <returns>Configuration and denoiser with float32 weights; the caller owns the denoiser.</returns>
    /// <exception cref="InvalidInputException">The file is damaged, hostile, or holds an architecture that is not known here.</exception>
    public static (ModelConfig Config, NetworkDenoiser Denoiser) Read(string path, string network = "ema")
    {
        using EdmCheckpoint checkpoint = EdmPickle.Read(path, network);
        ModelConfig config = Config(checkpoint);
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach ((string name, Tensor tensor) in checkpoint.State)
        {
            if (name.StartsWith(ModelPrefix, StringComparison.Ordinal))
            {
                tensors[name[ModelPrefix.Length..]] = tensor;
            }
            else if (name != NoiseLevels)
            {
                throw new InvalidInputException($"{path} holds the tensor {Printable.Text(name)}, which no network of NVlabs/edm has.");
            }
        }

        return (config, ModelFolder.Build(config, tensors, path));
    }

    /// <summary>The configuration that a checkpoint's options amount to.</summary>
    /// <param name="checkpoint">The checkpoint.</param>
    /// <exception cref="InvalidInputException">Its architecture or preconditioning is not known here, or an option is of the wrong type or missing.</exception>
    public static ModelConfig Config(EdmCheckpoint checkpoint)
    {
        EdmModule outer = checkpoint.Network;
        EdmModule model = outer.Child("model") ?? throw new InvalidInputException($"{checkpoint.Path} holds a {Printable.Text(outer.ClassName)} without a network inside; expected is EDMPrecond, VPPrecond, VEPrecond or iDDPMPrecond.");
        if (model.PositionalArguments > 0)
        {
            throw new InvalidInputException($"{checkpoint.Path}: its {Printable.Text(model.ClassName)} was made with unnamed arguments, whose meaning is not recorded.");
        }

        string[] known = model.ClassName switch
        {
            nameof(SongUNet) => [.. CommonOptions, .. SongOptions],
            nameof(DhariwalUNet) => CommonOptions,
            _ => throw new InvalidInputException($"{checkpoint.Path} holds the architecture {Printable.Text(model.ClassName)}; known are SongUNet and DhariwalUNet."),
        };
        if (model.InitArguments.Names.FirstOrDefault(name => !known.Contains(name)) is string unknown)
        {
            throw new InvalidInputException($"{checkpoint.Path}: its {model.ClassName} has the option {Printable.Text(unknown)}, which is not known here.");
        }

        int Needed(string name) => model.InitArguments.Integer(name) ?? throw new InvalidInputException($"{checkpoint.Path}: its {model.ClassName} lacks the option {name}.");
        int side = Needed("img_resolution");
        int channels = Needed("in_channels");
        bool song = model.ClassName == nameof(SongUNet);
        return new ModelConfig
        {
            Name = Path.GetFileNameWithoutExtension(checkpoint.Path),
            Shape = new ImageShape(channels, side, side),
            Classes = model.InitArguments.Integer("label_dim") ?? 0,
            Preconditioning = Preconditioning(checkpoint.Path, outer),
            SongUnet = song ? Song(model.InitArguments, side, channels, Needed("out_channels")) : null,
            DhariwalUnet = song ? null : Dhariwal(model.InitArguments, side, channels, Needed("out_channels")),
        };
    }

    private static SongUNetOptions Song(ModuleArguments given, int side, int inChannels, int outChannels)
    {
        var defaults = new SongUNetOptions { ImgResolution = side, InChannels = inChannels, OutChannels = outChannels };
        return defaults with
        {
            LabelDim = given.Integer("label_dim") ?? defaults.LabelDim,
            AugmentDim = given.Integer("augment_dim") ?? defaults.AugmentDim,
            ModelChannels = given.Integer("model_channels") ?? defaults.ModelChannels,
            ChannelMult = given.Integers("channel_mult") ?? defaults.ChannelMult,
            ChannelMultEmb = given.Integer("channel_mult_emb") ?? defaults.ChannelMultEmb,
            NumBlocks = given.Integer("num_blocks") ?? defaults.NumBlocks,
            AttnResolutions = given.Integers("attn_resolutions") ?? defaults.AttnResolutions,
            Dropout = given.Number("dropout") ?? defaults.Dropout,
            LabelDropout = given.Number("label_dropout") ?? defaults.LabelDropout,
            EmbeddingType = given.Text("embedding_type") ?? defaults.EmbeddingType,
            ChannelMultNoise = given.Integer("channel_mult_noise") ?? defaults.ChannelMultNoise,
            EncoderType = given.Text("encoder_type") ?? defaults.EncoderType,
            DecoderType = given.Text("decoder_type") ?? defaults.DecoderType,
            ResampleFilter = given.Integers("resample_filter") ?? defaults.ResampleFilter,
        };
    }

    private static DhariwalUNetOptions Dhariwal(ModuleArguments given, int side, int inChannels, int outChannels)
    {
        var defaults = new DhariwalUNetOptions { ImgResolution = side, InChannels = inChannels, OutChannels = outChannels };
        return defaults with
        {
            LabelDim = given.Integer("label_dim") ?? defaults.LabelDim,
            AugmentDim = given.Integer("augment_dim") ?? defaults.AugmentDim,
            ModelChannels = given.Integer("model_channels") ?? defaults.ModelChannels,
            ChannelMult = given.Integers("channel_mult") ?? defaults.ChannelMult,
            ChannelMultEmb = given.Integer("channel_mult_emb") ?? defaults.ChannelMultEmb,
            NumBlocks = given.Integer("num_blocks") ?? defaults.NumBlocks,
            AttnResolutions = given.Integers("attn_resolutions") ?? defaults.AttnResolutions,
            Dropout = given.Number("dropout") ?? defaults.Dropout,
            LabelDropout = given.Number("label_dropout") ?? defaults.LabelDropout,
        };
    }

    private static PreconditioningConfig Preconditioning(string path, EdmModule outer)
    {
        ModuleArguments given = outer.Attributes;
        double Needed(string name) => given.Number(name) ?? throw new InvalidInputException($"{path}: its {outer.ClassName} lacks {name}.");
        int Levels() => given.Integer("M") ?? throw new InvalidInputException($"{path}: its {outer.ClassName} lacks M.");
        return outer.ClassName switch
        {
            "EDMPrecond" => new PreconditioningConfig
            {
                Kind = "edm",
                SigmaData = Needed("sigma_data"),
                SigmaMin = Math.Max(Needed("sigma_min"), EdmSigmaMin),
                SigmaMax = Math.Min(Needed("sigma_max"), EdmSigmaMax),
            },
            "VPPrecond" => new PreconditioningConfig { Kind = "vp", BetaD = Needed("beta_d"), BetaMin = Needed("beta_min"), TimeSteps = Levels(), SmallestTime = Needed("epsilon_t") },
            "VEPrecond" => new PreconditioningConfig { Kind = "ve", SigmaMin = Needed("sigma_min"), SigmaMax = Needed("sigma_max") },
            "iDDPMPrecond" => new PreconditioningConfig { Kind = "iddpm", SmallestAlpha = Needed("C_1"), CosineOffset = Needed("C_2"), TimeSteps = Levels() },
            _ => throw new InvalidInputException($"{path} holds the preconditioning {Printable.Text(outer.ClassName)}; known are EDMPrecond, VPPrecond, VEPrecond and iDDPMPrecond."),
        };
    }
}
