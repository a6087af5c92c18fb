using System.Text.Json.Serialization;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Platform;

namespace FewStep.Checkpoints;

/// <summary>What <c>config.json</c> of a model folder says: architecture, preconditioning, image shape, classes.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)] // a misspelt setting must not silently be its default
public sealed record ModelConfig
{
    /// <summary>Version of the format; 1.</summary>
    public int Version { get; init; } = 1;

    /// <summary>Display name of the model.</summary>
    public string Name { get; init; } = "model";

    /// <summary>Shape of the images.</summary>
    public required ImageShape Shape { get; init; }

    /// <summary>Number of classes; 0 is unconditional.</summary>
    public int Classes { get; init; }

    /// <summary>Names of the classes in order, as many as there are classes; null where they have none.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Side of the square patches folded into channels before the network; 1 is none.</summary>
    public int PatchSize { get; init; } = 1;

    /// <summary>Preconditioning.</summary>
    public required PreconditioningConfig Preconditioning { get; init; }

    /// <summary>The DDPM++ or NCSN++ architecture; exactly one architecture is given.</summary>
    public SongUNetOptions? SongUnet { get; init; }

    /// <summary>The ADM architecture.</summary>
    public DhariwalUNetOptions? DhariwalUnet { get; init; }

    /// <summary>The DDPM architecture of diffusers.</summary>
    public DdpmUNetOptions? DdpmUnet { get; init; }

    /// <summary>Builds the model without weights.</summary>
    /// <returns>The network; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">The configuration is inconsistent.</exception>
    public UNet BuildNetwork()
    {
        if (Version != 1)
        {
            throw new InvalidInputException($"Model configurations of version {Version} are not known; this program reads version 1.");
        }

        var architecture = Architecture();
        if (PatchSize is < 1 or > 64)
        {
            throw new InvalidInputException($"The model configuration says patch_size {PatchSize}; it must be 1 to 64.");
        }

        if (ClassNames is { } names && (names.Count != Classes || names.Contains(null!)))
        {
            throw new InvalidInputException($"The model configuration has {names.Count} class_names for {Classes} classes; give one text for each class, or leave them out.");
        }

        int patch = PatchSize * PatchSize, channels = Shape.Channels * patch;
        CheckLevels(architecture);
        var (inChannels, outChannels, labels) = (architecture.InChannels, architecture.OutChannels, architecture.Classes);
        if (inChannels != channels || outChannels < channels || outChannels % patch != 0 || labels != Classes)
        {
            throw new InvalidInputException(
                $"The model configuration contradicts itself: images of {Shape} in patches of {PatchSize} need in_channels and out_channels {channels}, and label_dim {Classes}; it says {inChannels}, {outChannels}, {labels}.");
        }

        return architecture.Build();
    }

    private UNetArchitecture Architecture() => (SongUnet, DhariwalUnet, DdpmUnet) switch
    {
        ({ } o, null, null) => new(o.ImgResolution, o.ChannelMult.Count, o.InChannels, o.OutChannels, o.LabelDim, () => new SongUNet(o)),
        (null, { } o, null) => new(o.ImgResolution, o.ChannelMult.Count, o.InChannels, o.OutChannels, o.LabelDim, () => new DhariwalUNet(o)),
        (null, null, { } o) => new(o.ImgResolution, o.BlockChannels.Count, o.InChannels, o.OutChannels, o.LabelDim, () => new DdpmUNet(o)),
        _ => throw new InvalidInputException("The model configuration must name one architecture: give one of song_unet, dhariwal_unet and ddpm_unet."),
    };

    // Every level halves the sides, and what is halved must come together again.
    private void CheckLevels(UNetArchitecture architecture)
    {
        var (resolution, levels) = (architecture.Resolution, architecture.Levels);
        long smallest = 1L << Math.Clamp(levels - 1, 0, 30), step = PatchSize * smallest;
        if (resolution < smallest || Shape.Height % step != 0 || Shape.Width % step != 0)
        {
            throw new InvalidInputException(
                $"The model configuration contradicts itself: {levels} levels over patches of {PatchSize} need img_resolution {smallest} or more and sides that are multiples of {step}; it says {resolution} and images of {Shape}.");
        }
    }

    private sealed record UNetArchitecture(int Resolution, int Levels, int InChannels, int OutChannels, int Classes, Func<UNet> Build);
}
