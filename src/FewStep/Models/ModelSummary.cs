namespace FewStep.Models;

/// <summary>A model, as reports and manifests tell of it.</summary>
public sealed record ModelSummary
{
    /// <summary>Name for people, e.g. the file's name.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the model's file or folder in lower-case hexadecimal; null where it is not a file.</summary>
    public string? Hash { get; init; }

    /// <summary>Number of parameters; 0 where unknown (an ONNX file, an exact denoiser).</summary>
    public long Parameters { get; init; }

    /// <summary>Preconditioning or prediction type, e.g. <c>edm</c>.</summary>
    public required string Preconditioning { get; init; }

    /// <summary>Shape of its images.</summary>
    public required ImageShape Shape { get; init; }

    /// <summary>Shape of the latents that it denoises, from which its images are decoded; null where it denoises images.</summary>
    public ImageShape? Latents { get; init; }

    /// <summary>Number of classes, or of prompts; 0 for an unconditional model.</summary>
    public int Classes { get; init; }

    /// <summary>The first 100 of the prompts that its labels are; null where they are classes.</summary>
    public IReadOnlyList<string>? Prompts { get; init; }

    /// <summary>The prompt that guidance leads away from, where it is not empty; else null.</summary>
    public string? NegativePrompt { get; init; }

    /// <summary>The guidance that it was sampled under, e.g. <c>classifier-free, weight 1.5</c>; null for none. The hash then is that of
    /// the guided model.</summary>
    public string? Guidance { get; init; }
}
