using FewStep.Checkpoints;
using FewStep.Models;
using FewStep.Networks;
using FewStep.Sampling;

namespace FewStep;

/// <summary>A model that can be sampled: a denoiser with its name, its identity, and the sampler that it was tuned to. Owns what it was
/// opened from; dispose it.</summary>
/// <remarks>
/// Its weights and its number format never change, so any number of threads may sample it, search for it, measure it and tune it (which
/// makes another model) at the same time; each gets what it would get alone. Only <see cref="Dispose"/> must wait until the others are
/// through.
/// </remarks>
public sealed partial class Model : IDisposable
{
    private readonly List<IDisposable> _owned;
    private ModelOptions _options = new();

    internal Model(IDenoiser denoiser, ModelSummary summary, string? numberFormat, params IEnumerable<IDisposable> owned) =>
        (Denoiser, Summary, NumberFormat, _owned) = (denoiser, summary, numberFormat, [.. owned]);

    /// <summary>The denoiser, under guidance where that was asked for; owned here.</summary>
    public IDenoiser Denoiser { get; }

    /// <summary>Name for people.</summary>
    public string Name => Summary.Name;

    /// <summary>SHA-256 of all that determines what it computes but its number format: weights, preconditioning, guidance, prompts and
    /// autoencoder. Lower-case hexadecimal.</summary>
    public string Hash => Summary.Hash!;

    /// <summary>Shape of its images. What the denoiser works on are latents of another shape where the model has an autoencoder.</summary>
    public ImageShape Shape => Summary.Shape;

    /// <summary>The denoiser without guidance; owned here.</summary>
    internal IDenoiser Unguided { get => field ?? Denoiser; private init; }

    /// <summary>Number of classes, or of the prompts that it was opened with; 0 for an unconditional model.</summary>
    public int Classes => Denoiser.Classes;

    /// <summary>The sampler that it was tuned to, or that lies beside it; null where there is none.</summary>
    public Sampler? Sampler { get; internal init; }

    /// <summary>The number format that it computes in, e.g. <c>bfloat16</c>; null for an exact denoiser, which takes that of its images.
    /// Fixed when it is opened.</summary>
    public string? NumberFormat { get; }

    /// <summary>Where it was opened from, as given; null where it was not.</summary>
    public string? Path { get; private init; }

    /// <summary>The noise levels between which schedules are made and searched for it; those of one that is given may be any of the
    /// denoiser's.</summary>
    internal ScheduleRange ScheduleRange { get => field ??= ScheduleRange.Of(Denoiser); private init; }

    /// <summary>Whether it was trained as a rectified flow, whose programs count time in t = sigma / (1 + sigma).</summary>
    internal bool IsFlow => Family is NoiseFamily.FlowTimes;

    /// <summary>What other programs count its noise in.</summary>
    internal NoiseFamily Family { get => field ?? new NoiseFamily.Levels(); private init; }

    internal ModelSummary Summary { get; }

    /// <summary>What its latents are decoded by; null where it denoises images.</summary>
    internal IAutoencoder? Autoencoder { get; private init; }

    /// <summary>The pipeline of diffusers whose autoencoder and text encoders it has, which a network that is tuned from it remembers; null
    /// where there is none.</summary>
    internal PipelineMemory? Pipeline { get; private init; }

    /// <summary>Folder of the pipeline that was named when it was opened; null where none was.</summary>
    internal string? NamedPipeline => _options.Checkpoint.Pipeline;

    /// <summary>The prompts that its labels are; null where they are classes.</summary>
    internal PromptConditions? Prompts { get; private init; }

    /// <summary>Names of its classes, or its prompts; null where the classes have none.</summary>
    internal IReadOnlyList<string>? LabelNames => Prompts?.Texts ?? Config?.ClassNames;

    /// <summary>What tells it from models that a sampler was not fitted to: <see cref="Hash"/>, whatever the prompts and the
    /// autoencoder.</summary>
    internal string NetworkHash { get => field ?? Hash; private init; }

    /// <summary>What tells its images from another model's: hash and number format.</summary>
    internal string Identity => $"{Hash} {NumberFormat}";

    /// <summary>Shape, classes and names; of anything but a network nothing else in it means anything.</summary>
    internal ModelConfig Config { get; private init; } = null!;

    /// <summary>The network without guidance; null for what is none.</summary>
    internal NetworkDenoiser? Network { get; private init; }

    /// <summary>The checkpoint that it was read from, with its pipeline and LoRAs; null for what is none. Owned here.</summary>
    internal ModelSource? Source { get; private init; }

    /// <summary>The guidance that it was opened with; null for none.</summary>
    internal Guidance? Guidance => _options.Guidance;

    /// <summary>What it is in words, e.g. <c>model folder</c>.</summary>
    internal string Format { get; private init; } = "";

    /// <summary>One sentence for each thing that its file does not say and that was assumed, or that its user should know.</summary>
    internal IReadOnlyList<string> Remarks { get; private init; } = [];

    internal NetworkDenoiser RequireNetwork() => Network ?? throw new InvalidInputException(
        $"{Path} ({Format}) can be sampled, searched for schedules and compared, but its weights cannot be tuned or converted. Take the "
            + "checkpoint that it was made from.");

    /// <summary>The images of what the denoiser's sampling gave: decoded latents, in calls of bounded size, or the very same.</summary>
    /// <returns>[B,C,H,W]; belongs to the current dispose scope where it was decoded.</returns>
    internal Tensor ImagesOf(Tensor samples) => Autoencoder?.DecodeAll(samples) ?? samples;

    /// <inheritdoc/>
    public void Dispose() => _owned.ForEach(o => o.Dispose());
}
