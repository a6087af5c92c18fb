using System.Text.Json.Serialization;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Runtime;

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

    /// <summary>Builds the model without weights.</summary>
    /// <returns>The network; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">The configuration is inconsistent.</exception>
    public UNet BuildNetwork()
    {
        if (Version != 1)
        {
            throw new InvalidInputException($"Model configurations of version {Version} are not known; this program reads version 1.");
        }

        if (SongUnet is null == DhariwalUnet is null)
        {
            throw new InvalidInputException("The model configuration must name one architecture: give either song_unet or dhariwal_unet.");
        }

        var (inChannels, outChannels, labels) = SongUnet is null
            ? (DhariwalUnet!.InChannels, DhariwalUnet.OutChannels, DhariwalUnet.LabelDim)
            : (SongUnet.InChannels, SongUnet.OutChannels, SongUnet.LabelDim);
        if (PatchSize is < 1 or > 64)
        {
            throw new InvalidInputException($"The model configuration says patch_size {PatchSize}; it must be 1 to 64.");
        }

        if (ClassNames is { } names && (names.Count != Classes || names.Contains(null!)))
        {
            throw new InvalidInputException($"The model configuration has {names.Count} class_names for {Classes} classes; give one text for each class, or leave them out.");
        }

        int patch = PatchSize * PatchSize, channels = Shape.Channels * patch;
        CheckLevels();
        if (inChannels != channels || outChannels < channels || outChannels % patch != 0 || labels != Classes)
        {
            throw new InvalidInputException(
                $"The model configuration contradicts itself: images of {Shape} in patches of {PatchSize} need in_channels and out_channels {channels}, and label_dim {Classes}; it says {inChannels}, {outChannels}, {labels}.");
        }

        return SongUnet is null ? new DhariwalUNet(DhariwalUnet!) : new SongUNet(SongUnet);
    }

    // Every level halves the sides, and what is halved must come together again.
    private void CheckLevels()
    {
        var (resolution, levels) = SongUnet is null ? (DhariwalUnet!.ImgResolution, DhariwalUnet.ChannelMult.Count) : (SongUnet.ImgResolution, SongUnet.ChannelMult.Count);
        long smallest = 1L << Math.Clamp(levels - 1, 0, 30), step = PatchSize * smallest;
        if (resolution < smallest || Shape.Height % step != 0 || Shape.Width % step != 0)
        {
            throw new InvalidInputException(
                $"The model configuration contradicts itself: {levels} levels over patches of {PatchSize} need img_resolution {smallest} or more and sides that are multiples of {step}; it says {resolution} and images of {Shape}.");
        }
    }
}

/// <summary>The preconditioning part of a <see cref="ModelConfig"/>.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PreconditioningConfig
{
    /// <summary><c>edm</c>, <c>vp</c>, <c>ve</c> or <c>iddpm</c>.</summary>
    public string Kind { get; init; } = "edm";

    /// <summary>Of <c>edm</c>: standard deviation of the data, default 0.5.</summary>
    public double SigmaData { get; init; } = 0.5;

    /// <summary>Of <c>edm</c> and <c>ve</c>: smallest noise level, default 0.002; the other kinds derive theirs.</summary>
    public double SigmaMin { get; init; } = 0.002;

    /// <summary>Of <c>edm</c> and <c>ve</c>: largest noise level, default 80; the other kinds derive theirs.</summary>
    public double SigmaMax { get; init; } = 80;

    /// <summary>Of <c>vp</c>: slope of beta; null is 19.9.</summary>
    public double? BetaD { get; init; }

    /// <summary>Of <c>vp</c>: beta at time 0; null is 0.1.</summary>
    public double? BetaMin { get; init; }

    /// <summary>Of <c>vp</c>: time of the smallest noise level; null is 1e-5.</summary>
    public double? SmallestTime { get; init; }

    /// <summary>Of <c>vp</c> and <c>iddpm</c>: number of time steps; null is 1000.</summary>
    public int? TimeSteps { get; init; }

    /// <summary>Of <c>iddpm</c>: lower limit of alpha between two levels; null is 0.001.</summary>
    public double? SmallestAlpha { get; init; }

    /// <summary>Of <c>iddpm</c>: offset of the cosine schedule; null is 0.008.</summary>
    public double? CosineOffset { get; init; }

    /// <summary>Builds it.</summary>
    /// <exception cref="InvalidInputException">Unknown kind, or values out of range.</exception>
    public IPreconditioning Build() => Kind switch
    {
        "edm" => new EdmPreconditioning(SigmaData, SigmaMin, SigmaMax),
        "vp" => new VpPreconditioning(BetaD ?? 19.9, BetaMin ?? 0.1, TimeSteps ?? 1000, SmallestTime ?? 1e-5),
        "ve" => new VePreconditioning(SigmaMin, SigmaMax),
        "iddpm" => new IddpmPreconditioning(SmallestAlpha ?? 0.001, CosineOffset ?? 0.008, TimeSteps ?? 1000),
        _ => throw new InvalidInputException($"Preconditioning '{Kind}' is not known; known: edm, vp, ve, iddpm."),
    };
}
