namespace FewStep.Sampling;

/// <summary>What a sampler's solver was fitted on, and how near it comes. Residuals are mean squares of a value's difference from the
/// teacher's at the end.</summary>
internal sealed record FitOrigin
{
    public required int Latents { get; init; }
    public required int HeldOutLatents { get; init; }

    /// <summary>The teacher in words, e.g. <c>heun, 57 steps</c>.</summary>
    public required string Teacher { get; init; }

    /// <summary>Guidance that the model had; null for none.</summary>
    public string? Guidance { get; init; }

    /// <summary>The one class of all latents, -1 for none; null for all classes.</summary>
    public long? Label { get; init; }

    public required double Fitted { get; init; }

    public required ScheduleLoss HeldOut { get; init; }

    /// <summary>Held-out residual of the solver without the fit.</summary>
    public required ScheduleLoss Base { get; init; }

    public required string Stop { get; init; }
}
