using FewStep.Networks;

namespace FewStep.Tuning;

/// <summary>Low-rank adapters (LoRA, 2106.09685) that are trained in place of all weights.</summary>
public sealed record LoraOptions
{
    /// <summary>Rank of each adapter, 1 to 1,024; default 16.</summary>
    public int Rank { get; init; } = 16;

    /// <summary>What the adapters count: their product is multiplied by alpha / rank. Above 0; null (default) for the rank.</summary>
    public double? Alpha { get; init; }

    /// <summary>What is adapted: names with commas of <c>attention</c> (with the projections around it), <c>feed-forward</c>, and of
    /// text-to-image U-Nets <c>convolutions</c> and <c>time-projections</c>; or <c>all</c>, which LCM-LoRAs have. Default
    /// <c>attention,feed-forward</c>.</summary>
    public string Layers { get; init; } = LoraLayerNames.Usual;

    /// <summary>Alpha, or its default.</summary>
    internal double UsedAlpha => Alpha ?? Rank;

    internal LoraLayers UsedLayers => LoraLayerNames.Parse(Layers);

    internal void Validate(OptionRules rules)
    {
        _ = UsedLayers;
        rules.Require(Rank is >= 1 and <= 1024, $"the rank of a LoRA must lie between 1 and 1024, not {Rank}")
            .Require(Alpha is null || (Alpha > 0 && double.IsFinite(Alpha.Value)), $"the alpha of a LoRA must be above 0, not {Alpha}");
    }
}
