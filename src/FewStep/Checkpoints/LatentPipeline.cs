using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>Reads what networks of latents have in common in a pipeline of diffusers: weights with LoRAs fused into them, and the
/// autoencoder beside them.</summary>
/// <param name="File">The file of the weights where that was given; null for the usual ones in the network's folder.</param>
internal sealed record LatentPipeline(DiffusersPipeline Parts, ModelReadOptions Options, string? File = null)
{
    private const int UsualFactor = 8;

    private static readonly (string Folder, LoraPart Part)[] TextEncoders =
        [("text_encoder", LoraPart.TextEncoder), ("text_encoder_2", LoraPart.SecondTextEncoder)];

    /// <summary>The network's weights by diffusers' names, from a file that holds more, and that; null (default) for those of the folder.
    /// Read takes them over.</summary>
    public (TensorsByName Tensors, LatentDiffusionParts Parts)? Whole { get; init; }

    /// <summary>The options that such a folder takes.</summary>
    public static IReadOnlyList<string> OptionNames { get; } = [nameof(ModelReadOptions.Section), nameof(ModelReadOptions.Resolution)];

    /// <summary>Of a folder, or of a file of weights in it.</summary>
    public static LatentPipeline At(string path, ModelReadOptions options)
    {
        bool isFile = System.IO.File.Exists(path);
        if (isFile && options.Section is not null)
            throw new InvalidInputException($"{path} is one file of weights; leave the option for its section out, or give the folder.");
        return new(DiffusersPipeline.Locate(FolderOf(path)), options, isFile ? path : null);
    }

    /// <summary>The class of the network in a folder of diffusers, or beside a file of weights in one; null where there is none.</summary>
    public static string? ClassAt(string path)
        => DiffusersFolder.IsOne(path) ? DiffusersPipeline.Locate(FolderOf(path)).NetworkClass : null;

    /// <summary>Side of the latents that the options ask for in pixels of the images; null where they leave it open.</summary>
    public int? Side
        => SideOf(Parts.Root, Options, Parts.Autoencoder is string folder ? AutoencoderFolder.Options(folder).Factor : UsualFactor);

    /// <summary>The same where an autoencoder makes sides longer by a factor.</summary>
    public static int? SideOf(string path, ModelReadOptions options, int factor = UsualFactor)
        => options.Resolution is not { } pixels ? null : pixels % factor == 0 ? pixels / factor
        : throw new InvalidInputException($"{path}: a resolution of {pixels} pixels is no multiple of {factor}.");

    /// <summary>Reads weights and autoencoder.</summary>
    /// <param name="build">Makes the denoiser of tensors and the path that they came from.</param>
    /// <param name="remarks">About the network and its noise.</param>
    /// <returns>The model; the caller owns it.</returns>
    public ModelSource Read(
        ModelConfig config, string name, IReadOnlyList<string> remarks, Func<TensorsByName, string, NetworkDenoiser> build)
    {
        var loras = new List<(LoraFile File, double Scale)>();
        NetworkDenoiser? denoiser = null;
        Autoencoder? autoencoder = null;
        try
        {
            foreach (var (path, scale) in Options.Loras ?? [])
                loras.Add((new Lora(path, scale).Read(), scale));
            var whole = Whole?.Parts;
            var weights = whole is not null ? new DiffusersWeights(whole.Path, [whole.Path], null)
                : File is null ? DiffusersWeights.Find(Parts.Network, Options.Section) : DiffusersWeights.At(File);
            using (var tensors = Whole?.Tensors ?? weights.Read())
            {
                Fuse(loras, tensors);
                denoiser = build(tensors, weights.Path);
            }

            if (weights.Variant is string variant && File is null && Options.Section is null)
                remarks = [.. remarks, $"The weights are those of the variant {variant}."];
            if (Parts.Autoencoder is string folder)
            {
                autoencoder = AutoencoderFolder.For(config.Shape, folder, Options.Section, weights: whole?.Autoencoder);
            }
            else
            {
                remarks = ["Its network denoises latents, which an autoencoder makes of images. None lies beside it, so what it samples "
                    + "stays latents.", .. remarks];
            }

            return new ModelSource(config, denoiser, $"diffusers folder ({name})", weights.Path, remarks)
            {
                WeightsFiles = weights.Files,
                Autoencoder = autoencoder,
                Pipeline = Parts.Root,
                Variant = Options.Section,
                OneFile = whole,
                Loras = loras,
            };
        }
        catch
        {
            loras.ForEach(lora => lora.File.Dispose());
            autoencoder?.Dispose();
            denoiser?.Dispose();
            throw;
        }
    }

    private void Fuse(List<(LoraFile File, double Scale)> loras, TensorsByName tensors)
    {
        LoraPart[] parts = [LoraPart.Denoiser, .. TextEncoders
            .Where(t => System.IO.File.Exists(Path.Combine(Parts.Root, t.Folder, DiffusersPipeline.ConfigName))).Select(t => t.Part)];
        foreach (var (lora, scale) in loras)
        {
            lora.RefuseAllBut(parts);
            lora.Fuse(tensors, LoraPart.Denoiser, scale);
        }
    }

    private static string FolderOf(string path) => System.IO.File.Exists(path) ? Path.GetDirectoryName(Path.GetFullPath(path))! : path;
}
