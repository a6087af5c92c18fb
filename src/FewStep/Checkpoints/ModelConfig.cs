using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Runtime;

namespace FewStep.Checkpoints;

/// <summary>What <c>config.json</c> of a model folder says: architecture, preconditioning, image shape, classes.</summary>
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

    /// <summary>Names of the classes in order; null where they have none.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Side of the square patches folded into channels before the network; 1 is none.</summary>
    public int PatchSize { get; init; } = 1;

    /// <summary>Preconditioning.</summary>
    public required PreconditioningConfig Preconditioning { get; init; }

    /// <summary>The DDPM++ or NCSN++ architecture; exactly one architecture is given.</summary>
    public SongUNetOptions? SongUnet { get; init; }

    /// <summary>Builds the model without weights.</summary>
    /// <returns>The network; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">The configuration is inconsistent.</exception>
    public UNet BuildNetwork()
    {
        if (Version != 1)
        {
            throw new InvalidInputException($"Model configurations of version {Version} are not known; this program reads version 1.");
        }

        var options = SongUnet ?? throw new InvalidInputException("The model configuration names no architecture: give song_unet.");
        int channels = checked(Shape.Channels * PatchSize * PatchSize);
        if (options.InChannels != channels || options.OutChannels < channels || options.LabelDim != Classes)
        {
            throw new InvalidInputException(
                $"The model configuration contradicts itself: images of {Shape} in patches of {PatchSize} need in_channels and out_channels {channels}, and label_dim {Classes}; it says {options.InChannels}, {options.OutChannels}, {options.LabelDim}.");
        }

        return new SongUNet(options);
    }
}

/// <summary>The preconditioning part of a <see cref="ModelConfig"/>.</summary>
public sealed record PreconditioningConfig
{
    /// <summary><c>edm</c>.</summary>
    public string Kind { get; init; } = "edm";

    /// <summary>Standard deviation of the data, default 0.5.</summary>
    public double SigmaData { get; init; } = 0.5;

    /// <summary>Smallest noise level, default 0.002.</summary>
    public double SigmaMin { get; init; } = 0.002;

    /// <summary>Largest noise level, default 80.</summary>
    public double SigmaMax { get; init; } = 80;

    /// <summary>Builds it.</summary>
    /// <exception cref="InvalidInputException">Unknown kind, or values out of range.</exception>
    public IPreconditioning Build() => Kind switch
    {
        "edm" => new EdmPreconditioning(SigmaData, SigmaMin, SigmaMax),
        _ => throw new InvalidInputException($"Preconditioning '{Kind}' is not known; known: edm."),
    };
}
