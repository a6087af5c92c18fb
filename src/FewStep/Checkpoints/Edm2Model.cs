using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>What the network pickles of NVlabs/edm2 say: a magnitude-preserving U-Net, its preconditioning, and what makes its
/// images.</summary>
internal static class Edm2Model
{
    /// <summary>First part of the names of the U-Net's tensors.</summary>
    public const string Prefix = "unet.";

    // Estimates the uncertainty of the loss while training.
    private const string Uncertainty = "logvar_";

    private const string PixelEncoder = "StandardRGBEncoder", LatentEncoder = "StabilityVAEEncoder";

    // The options that are the network's own; those of its blocks are read from a block.
    private static readonly HashSet<string> Known =
    [
        "img_resolution", "img_channels", "label_dim", "model_channels", "channel_mult", "channel_mult_noise", "channel_mult_emb",
        "num_blocks", "attn_resolutions", "label_balance", "concat_balance", "channels_per_head", "dropout", "res_balance", "attn_balance",
        "clip_act", "resample_filter",
    ];

    /// <summary>Whether the outermost module is one.</summary>
    public static bool IsOne(EdmModule outer) => outer.Child("unet") is not null;

    /// <summary>Whether a tensor is no part of the denoiser.</summary>
    public static bool Ignores(string tensor) => tensor.StartsWith(Uncertainty, StringComparison.Ordinal);

    /// <summary>The configuration that a checkpoint's options amount to.</summary>
    public static ModelConfig Config(EdmCheckpoint checkpoint)
    {
        (string path, EdmModule outer) = (checkpoint.Path, checkpoint.Network);
        EdmModule unet = outer.Child("unet")!;
        if (outer.ClassName != "Precond" || unet.ClassName != "UNet" || unet.PositionalArguments > 0)
        {
            throw new InvalidInputException($"{path} holds a {Printable.Text(outer.ClassName)} of a {Printable.Text(unet.ClassName)} with "
                + $"{unet.PositionalArguments} unnamed arguments; known of NVlabs/edm2 is Precond of UNet with named ones.");
        }

        var given = unet.InitArguments;
        if (given.Names.FirstOrDefault(name => !Known.Contains(name)) is string unknown)
            throw new InvalidInputException($"{path}: its UNet has the option {Printable.Text(unknown)}, which is not known here.");
        var block = unet.Child("dec")?.Children.FirstOrDefault(child => child.ClassName == "Block")?.Attributes
            ?? throw new InvalidInputException($"{path}: its UNet has no blocks.");
        if (block.Integers("resample_filter") is not (null or [1, 1]))
            throw new InvalidInputException($"{path}: its UNet has another resample_filter than [1, 1], which is not known here.");
        T Needed<T>(T? value, string name) where T : struct
            => value ?? throw new InvalidInputException($"{path}: its {outer.ClassName} lacks {name}.");
        var usual = new Edm2UNetOptions { ImgResolution = 1, InChannels = 1, OutChannels = 1 };
        int channels = Needed(given.Integer("img_channels"), "img_channels");
        var network = usual with
        {
            ImgResolution = Needed(given.Integer("img_resolution"), "img_resolution"),
            InChannels = channels,
            OutChannels = channels,
            LabelDim = given.Integer("label_dim") ?? 0,
            ModelChannels = given.Integer("model_channels") ?? usual.ModelChannels,
            ChannelMult = given.Integers("channel_mult") ?? usual.ChannelMult,
            ChannelMultNoise = given.Integer("channel_mult_noise"),
            ChannelMultEmb = given.Integer("channel_mult_emb"),
            NumBlocks = given.Integer("num_blocks") ?? usual.NumBlocks,
            AttnResolutions = given.Integers("attn_resolutions") ?? usual.AttnResolutions,
            ChannelsPerHead = given.Integer("channels_per_head") ?? usual.ChannelsPerHead,
            LabelBalance = unet.Attributes.Number("label_balance") ?? usual.LabelBalance,
            ConcatBalance = unet.Attributes.Number("concat_balance") ?? usual.ConcatBalance,
            ResBalance = block.Number("res_balance") ?? usual.ResBalance,
            AttnBalance = block.Number("attn_balance") ?? usual.AttnBalance,
            ClipAct = block.Number("clip_act"), // None is none
            Dropout = block.Number("dropout") ?? 0,
        };
        return new ModelConfig
        {
            Name = Path.GetFileNameWithoutExtension(path),
            Shape = new ImageShape(channels, network.ImgResolution, network.ImgResolution),
            Classes = network.LabelDim,
            Preconditioning = new PreconditioningConfig { SigmaData = Needed(outer.Attributes.Number("sigma_data"), "sigma_data") },
            Network = network,
            LatentScaling = ScalingOf(checkpoint),
        };
    }

    private static LatentScaling? ScalingOf(EdmCheckpoint checkpoint)
    {
        if (checkpoint.Encoder is not { ClassName: LatentEncoder, InitArguments: var given })
            return null;
        return new LatentScaling(
            given.Numbers("raw_mean") ?? [5.81, 3.25, 0.12, -2.15], given.Numbers("raw_std") ?? [4.17, 4.62, 3.71, 3.28],
            given.Number("final_mean") ?? 0, given.Number("final_std") ?? 0.5);
    }

    /// <summary>What its images are, where they are no pixels.</summary>
    public static IEnumerable<string> Remarks(EdmCheckpoint checkpoint)
    {
        switch (checkpoint.Encoder)
        {
            case null or { ClassName: PixelEncoder }:
                yield break;
            case { ClassName: LatentEncoder } encoder:
                string name = encoder.InitArguments.Text("vae_name") ?? "stabilityai/sd-vae-ft-mse";
                var (means, deviations, mean, deviation) = ScalingOf(checkpoint)!;
                yield return InvariantText.Of($"Its images are latents of the autoencoder {Printable.Text(name)}, moved by channel from "
                    + $"means [{string.Join(", ", means)}] and deviations [{string.Join(", ", deviations)}] to {mean} and {deviation}; "
                    + $"the folder of that autoencoder, given as the pipeline, decodes them.").ToString();
                break;
            default:
                yield return $"Its images are what its encoder {Printable.Text(checkpoint.Encoder.ClassName)} makes, which is not known "
                    + "here.";
                break;
        }
    }
}
