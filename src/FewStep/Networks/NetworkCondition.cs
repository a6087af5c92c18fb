namespace FewStep.Networks;

/// <summary>What a network is told beside image and noise. A network reads what it was made for and ignores the rest; null is "not
/// given".</summary>
internal sealed record NetworkCondition
{
    /// <summary>Class indices int64 [B], -1 for none.</summary>
    public Tensor? Classes { get; init; }

    /// <summary>Text embedding [B,L,D], in the compute type.</summary>
    public Tensor? Context { get; init; }

    /// <summary>Pooled text embedding [B,P], float32.</summary>
    public Tensor? Pooled { get; init; }

    /// <summary>Sizes and crops that SDXL is told, float32 [B,6]: original height and width, crop top and left, target height and
    /// width.</summary>
    public Tensor? Sizes { get; init; }

    /// <summary>Guidance scale that a distilled network is told, float32 [B]: LCM's w, Flux's guidance.</summary>
    public Tensor? GuidanceScale { get; init; }
}
