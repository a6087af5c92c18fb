using System.Text.Json.Serialization.Metadata;
using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>What <c>config.json</c> of a model folder says: architecture, preconditioning, image shape, classes.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)] // a misspelt setting must not silently be its default
[ArchitectureKeys]
internal sealed record ModelConfig
{
    private INetworkOptions? _network;

    public int Version { get; init; } = 1;
    public string Name { get; init; } = "model";
    public required ImageShape Shape { get; init; }
    public int Classes { get; init; }

    /// <summary>Names of the classes in order, as many as there are classes; null where they have none.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Side of the square patches folded into channels before the network; 1 is none.</summary>
    public int PatchSize { get; init; } = 1;

    public required PreconditioningConfig Preconditioning { get; init; }

    /// <summary>How an autoencoder's latents are scaled, where images are latents scaled in a way that the autoencoder does not say; null
    /// where they are not.</summary>
    public LatentScaling? LatentScaling { get; init; }

    /// <summary>The pipeline that the network belongs to, as it is written; null where it belongs to none, or lies in it.</summary>
    public PipelineMemory? Pipeline { get; init; }

    /// <summary>The architecture, whose key in the file is that of <see cref="ArchitectureCatalog"/>.</summary>
    [JsonIgnore]
    public INetworkOptions Network
    {
        get => _network ?? throw NotOne();
        init => _network = value;
    }

    /// <summary>As JSON without names and what lies around the network: with equal weights, equal texts are the same denoiser.</summary>
    public string OfNetworkAlone() => JsonSerializer.Serialize(
        this with { Name = "", ClassNames = null, LatentScaling = null, Pipeline = null }, JsonFile.Options);

    /// <returns>The network; the caller owns it.</returns>
    public Network BuildNetwork()
    {
        if (Version != 1)
            throw new InvalidInputException($"Model configurations of version {Version} are not known; this program reads version 1.");
        var network = Network;
        if (PatchSize is < 1 or > 64)
            throw new InvalidInputException($"The model configuration says patch_size {PatchSize}; it must be 1 to 64.");
        if (ClassNames is { } names && (names.Count != Classes || names.Contains(null!)))
        {
            throw new InvalidInputException($"The model configuration has {names.Count} class_names for {Classes} classes; give one text "
                + "for each class, or leave them out.");
        }

        LatentScaling?.Checked(Shape.Channels);
        int patch = PatchSize * PatchSize, channels = Shape.Channels * patch;
        CheckSides(network);
        var (inChannels, outChannels, labels) = (network.InChannels, network.OutChannels, network.LabelDim);
        if (inChannels != channels || outChannels < channels || outChannels % patch != 0 || labels != Classes)
        {
            throw new InvalidInputException(
                $"The model configuration contradicts itself: images of {Shape} in patches of {PatchSize} need in_channels and "
                    + $"out_channels {channels}, and label_dim {Classes}; it says {inChannels}, {outChannels}, {labels}.");
        }

        return network.Build();
    }

    // What the layers halve must come together again.
    private void CheckSides(INetworkOptions network)
    {
        long smallest = network.SideMultiple, step = PatchSize * smallest;
        if (network.ImgResolution < smallest || Shape.Height % step != 0 || Shape.Width % step != 0)
        {
            throw new InvalidInputException(
                $"The model configuration contradicts itself: its layers over patches of {PatchSize} need img_resolution {smallest} or "
                    + $"more and sides that are multiples of {step}; it says {network.ImgResolution} and images of {Shape}.");
        }
    }

    private static InvalidInputException NotOne()
        => new($"The model configuration must name one architecture: give one of {ArchitectureCatalog.Keys}.");

    // In the file the architecture is a member named after it, behind all others.
    private sealed class ArchitectureKeysAttribute : JsonShapeAttribute
    {
        protected override void Shape(JsonTypeInfo type)
        {
            foreach (var architecture in ArchitectureCatalog.All)
            {
                var member = type.CreateJsonPropertyInfo(architecture.Options, architecture.Key);
                member.Get = config => ((ModelConfig)config)._network is { } network && network.GetType() == architecture.Options ? network
                    : null;
                member.ShouldSerialize = (_, network) => network is not null;
                member.Set = (config, network) => ((ModelConfig)config).Take((INetworkOptions?)network);
                type.Properties.Add(member);
            }
        }
    }

    private void Take(INetworkOptions? network) => _network = _network is null || network is null ? network ?? _network : throw NotOne();
}
