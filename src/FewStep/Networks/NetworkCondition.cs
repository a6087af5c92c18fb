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

    /// <summary>All that is given.</summary>
    public IEnumerable<Tensor> Tensors => new[] { Classes, Context, Pooled, Sizes, GuidanceScale }.OfType<Tensor>();

    /// <summary>The condition of neighbouring images.</summary>
    public NetworkCondition Part(long first, long count) => Each(t => t.narrow(0, first, count));

    /// <summary>With each tensor that is given replaced.</summary>
    public NetworkCondition Each(Func<Tensor, Tensor> replaced)
    {
        Tensor? Of(Tensor? given) => given is null ? null : replaced(given);
        return new()
        {
            Classes = Of(Classes),
            Context = Of(Context),
            Pooled = Of(Pooled),
            Sizes = Of(Sizes),
            GuidanceScale = Of(GuidanceScale),
        };
    }

    /// <summary>The images of several conditions, each of which gives the same.</summary>
    /// <returns>Copies, which belong to the current dispose scope.</returns>
    public static NetworkCondition Joined(IReadOnlyList<NetworkCondition> parts)
    {
        Tensor? All(Func<NetworkCondition, Tensor?> of) => of(parts[0]) is null ? null : cat([.. parts.Select(p => of(p)!)]);
        return new()
        {
            Classes = All(p => p.Classes),
            Context = All(p => p.Context),
            Pooled = All(p => p.Pooled),
            Sizes = All(p => p.Sizes),
            GuidanceScale = All(p => p.GuidanceScale),
        };
    }
}
