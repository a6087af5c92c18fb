namespace FewStep.Tuning;

/// <summary>Low-rank adapters (LoRA, 2106.09685) of attention and feed-forward layers, which are trained in place of all weights.</summary>
public sealed record LoraOptions
{
    /// <summary>Rank of each adapter, 1 to 1,024; default 16.</summary>
    public int Rank { get; init; } = 16;

    /// <summary>What the adapters count: their product is multiplied by alpha / rank. Above 0; null (default) for the rank.</summary>
    public double? Alpha { get; init; }

    /// <summary>The same, or its default.</summary>
    internal double UsedAlpha => Alpha ?? Rank;

    internal void Validate(OptionRules rules) => rules
        .Require(Rank is >= 1 and <= 1024, $"the rank of a LoRA must lie between 1 and 1024, not {Rank}")
        .Require(Alpha is null || (Alpha > 0 && double.IsFinite(Alpha.Value)), $"the alpha of a LoRA must be above 0, not {Alpha}");
}
