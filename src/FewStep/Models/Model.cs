using FewStep.Denoising;
using FewStep.Models;

namespace FewStep;

/// <summary>A model that can be sampled: a denoiser with its name, its identity, and the sampler that it was tuned to. Owns what it was opened from; dispose it.</summary>
public sealed partial class Model : IDisposable
{
    private readonly List<IDisposable> _owned;

    internal Model(IDenoiser denoiser, ModelSummary summary, string? numberFormat, params IEnumerable<IDisposable> owned) =>
        (Denoiser, Summary, NumberFormat, _owned) = (denoiser, summary, numberFormat, [.. owned]);

    /// <summary>The denoiser, under guidance where that was asked for; owned here.</summary>
    public IDenoiser Denoiser { get; }

    /// <summary>Name for people.</summary>
    public string Name => Summary.Name;

    /// <summary>SHA-256 of all that determines what it computes but its number format: weights, preconditioning, guidance. Lower-case hexadecimal.</summary>
    public string Hash => Summary.Hash!;

    /// <summary>Shape of its images.</summary>
    public ImageShape Shape => Denoiser.Shape;

    /// <summary>Number of classes; 0 for an unconditional model.</summary>
    public int Classes => Denoiser.Classes;

    /// <summary>The sampler that it was tuned to, or that lies beside it; null where there is none.</summary>
    public Sampler? Sampler { get; internal init; }

    /// <summary>The number format that it computes in, e.g. <c>bfloat16</c>; null for an exact denoiser, which takes that of its images. Fixed when it is opened.</summary>
    public string? NumberFormat { get; }

    /// <summary>What reports say of it.</summary>
    internal ModelSummary Summary { get; }

    /// <summary>What tells its images from another model's: hash and number format.</summary>
    internal string Identity => $"{Hash} {NumberFormat}";

    /// <inheritdoc/>
    public void Dispose() => _owned.ForEach(o => o.Dispose());
}
