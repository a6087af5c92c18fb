using FewStep.Checkpoints;

namespace FewStep.Models;

/// <summary>How a model is opened.</summary>
public sealed record ModelOptions
{
    /// <summary>Number format that a network computes in, for as long as the model is open: bfloat16 or float32. Null (default) for
    /// bfloat16 on a GPU and on processors that multiply it faster (AMX, AMD's AVX-512 BF16), and float32 on others. Weights,
    /// preconditioning and solver state are float32.</summary>
    public ScalarType? ComputeType { get; init; }

    /// <summary>Where a network computes; default <see cref="DeviceChoice.Auto"/>.</summary>
    public DeviceChoice Device { get; init; } = DeviceChoice.Auto;

    /// <summary>Processor threads of tensor operations, 0 to 1024, in the whole process; 0 (default) leaves their number as it
    /// is.</summary>
    public int Threads { get; init; }

    /// <summary>Guidance; null (default) for none. Without a <see cref="Guide"/> it is classifier-free.</summary>
    public Guidance? Guidance { get; init; }

    /// <summary>Path of a weaker model that guides, which must say everything itself; null (default) for none.</summary>
    public string? Guide { get; init; }

    /// <summary>Prompts of a model that makes images of text, 1 to 1,000,000: label i is prompt i, so the image of seed s is by default of
    /// prompt s mod their number. Null (default) for models of classes or without conditions, which take none.</summary>
    public IReadOnlyList<string>? Prompts { get; init; }

    /// <summary>File names of the images that <see cref="Prompts"/> are captions of, in their order: training images of those names are
    /// measured each under its own. Null (default) for prompts of no images, under which training images have the empty prompt.</summary>
    public IReadOnlyList<string>? CaptionedImages { get; init; }

    /// <summary>What classifier-free guidance leads away from, in place of the empty prompt; null (default) for that.</summary>
    public string? NegativePrompt { get; init; }

    /// <summary>What a checkpoint does not say; of other files nothing must be said here.</summary>
    public ModelReadOptions Checkpoint { get; init; } = new();

    /// <summary>What an ONNX file does not say; of other files nothing must be said here.</summary>
    public OnnxModelDescription Onnx { get; init; } = new();

    /// <summary>Whether a model of text is opened to be looked at, with the empty prompt where none is given; default false.</summary>
    internal bool NeedsNoPrompts { get; init; }

    /// <summary>Whether it is opened to be looked at, so that a pipeline that its folder remembers may be missing; default false.</summary>
    internal bool NeedsNoPipeline { get; init; }

    /// <summary>What ONNX Runtime computes a model with; null (default) for the processor. Other files take none.</summary>
    public OnnxProvider? Provider { get; init; }

    /// <summary>Smallest noise level of the schedules that are made and searched for the model; null (default) for the model's own, of a
    /// Gaussian mixture, which knows no limits, that of its file or EDM's 0.002.</summary>
    public double? SigmaMin { get; init; }

    /// <summary>Largest noise level of those schedules; null (default) for the model's own, or EDM's 80 where its own is above 1,000
    /// (cosine noise ends above 20,000); of a Gaussian mixture that of its file or 80.</summary>
    public double? SigmaMax { get; init; }
}
