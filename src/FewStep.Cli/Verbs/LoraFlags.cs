namespace FewStep.Cli.Verbs;

/// <summary>Options of tuning by adapters, in place of all weights.</summary>
internal sealed class LoraFlags(Command command)
{
    private readonly Option<int?> _rank = command.Optional<int?>("--lora",
        "Train low-rank adapters (LoRA) of this rank, in place of all weights: "
            + $"{TunedLora.FileName} in --out, beside the sampler, and a model folder unless the model takes prompts. With --guidance the "
            + "teacher is guided and the LoRA takes the guidance in: it is sampled without.", "rank");
    private readonly Option<double?> _alpha = command.Optional<double?>(
        "--lora-alpha", "What the adapters count: their product is multiplied by alpha / rank. Left out, the rank.");
    private readonly Option<string?> _layers = command.Optional<string?>("--lora-layers",
        $"What is adapted, with commas: {string.Join(", ", LoraLayerNames.All)}; convolutions and time-projections are of text-to-image "
            + $"U-Nets alone, and LCM-LoRAs have all. Left out, {LoraLayerNames.Usual}.", "list");
    private readonly Option<LoraNames?> _names = command.Named<LoraNames?>("--lora-names",
        "Whose names the tensors of the file have: diffusers (load_lora_weights; default) or kohya (U-Nets alone).", null,
        ("diffusers", LoraNames.Diffusers), ("kohya", LoraNames.Kohya));

    /// <summary>The adapters; null for all weights.</summary>
    public LoraOptions? Read(ParseResult parsed)
    {
        if (parsed.GetValue(_rank) is int rank)
        {
            var options = new LoraOptions { Rank = rank, Alpha = parsed.GetValue(_alpha) };
            return parsed.GetValue(_layers) is string layers ? options with { Layers = layers } : options;
        }

        OptionValues.RefuseIdle(parsed, [_alpha, _layers, _names], "--lora RANK");
        return null;
    }

    public LoraNames Names(ParseResult parsed) => parsed.GetValue(_names) ?? LoraNames.Diffusers;
}
