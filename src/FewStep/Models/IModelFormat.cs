using FewStep.Checkpoints;
using FewStep.Networks;

namespace FewStep.Models;

/// <summary>A form in which models lie on disk; one that needs a library of its own is looked for by name in another assembly.</summary>
internal interface IModelFormat
{
    OpenedModel Open(string path, ModelOptions options);
}

/// <summary>A model as a <see cref="IModelFormat"/> gives it, without guidance.</summary>
internal sealed record OpenedModel
{
    public required IDenoiser Denoiser { get; init; }

    /// <summary>Shape, classes and names; of anything but a network nothing else in it means anything.</summary>
    public required ModelConfig Config { get; init; }

    public required string Hash { get; init; }

    /// <summary>What it is in words, e.g. <c>model folder</c>.</summary>
    public required string Format { get; init; }

    /// <summary>Null for an exact denoiser, which takes that of its images.</summary>
    public string? NumberFormat { get; init; }

    public long Parameters { get; init; }
    public IReadOnlyList<string> Remarks { get; init; } = [];

    /// <summary>Smallest and largest noise level of schedules, where they are not the denoiser's; null (default) where they are.</summary>
    /// <remarks>A flow's levels above those of t = 0.999 stand for its first time, 1, alone.</remarks>
    public (double Low, double High)? Levels
    {
        get => field
            ?? (Family is NoiseFamily.FlowTimes ? (Denoiser.SigmaMin, Math.Min(Denoiser.SigmaMax, FlowTime.UsualSigmaMax)) : null);
        init;
    }

    /// <summary>What other programs count its noise in.</summary>
    public NoiseFamily Family { get; init; } = new NoiseFamily.Levels();

    /// <summary>Whether "no class" means something to it: without label dropout in its training a network was never shown it.</summary>
    public bool KnowsNoClass { get; init; } = true;

    /// <summary>What its latents are decoded by; null where it denoises images. Owned with the rest.</summary>
    public IAutoencoder? Autoencoder { get; init; }

    /// <summary>What its network is told of the weight of guidance, in place of being guided; null for a network that is told
    /// none.</summary>
    public double? GuidanceTold { get; init; }

    /// <summary>The prompts that its labels are; null where they are classes. Owned with the rest.</summary>
    public PromptConditions? Prompts { get; init; }

    /// <summary>The pipeline of diffusers whose parts belong to the network, with whole paths; null for none.</summary>
    public PipelineMemory? Pipeline { get; init; }

    public required IDisposable Owned { get; init; }

    /// <summary>The prompts that were given for a model that takes some.</summary>
    /// <returns>Its conditions; the caller owns them.</returns>
    public static PromptConditions RequirePrompts(
        string path, ModelOptions options, IPromptEncoder encoder, double? guidanceScale = null) =>
        (options.Prompts ?? (options.NeedsNoPrompts ? [""] : null)) is { } texts
        ? new PromptConditions(encoder, texts, options.NegativePrompt ?? "")
        { GuidanceScale = guidanceScale, Images = options.CaptionedImages }
        : throw new InvalidInputException($"{path} makes images of prompts; give a prompt, or a file of prompts.");

    /// <summary>Refuses options that mean nothing to what no checkpoint is.</summary>
    public static void RefuseNetworkOptions(string path, ModelOptions options, string kind)
    {
        if (options.Checkpoint != new ModelReadOptions())
            throw new InvalidInputException($"{path} is {kind}; options of how a model is read are for checkpoints. Leave them out.");
        if (options.Device.DemandsCuda)
        {
            throw new InvalidInputException(
                $"{path} is {kind}, which is computed on the processor; leave the device {options.Device} out, or give the checkpoint.");
        }
    }
}
