namespace FewStep.Checkpoints;

/// <summary>What a tensor of a LoRA is in the update of its weight.</summary>
internal enum LoraRole
{
    Down,
    Up,
    Alpha,
}

/// <summary>The name of a tensor in a LoRA, understood.</summary>
/// <param name="Module">Name of the module that it updates.</param>
/// <param name="Underscored">Whether that has underscores for dots, as kohya's scripts write it.</param>
internal readonly record struct LoraKey(LoraPart Part, string Module, bool Underscored, LoraRole Role)
{
    private const string Processor = ".processor.", ToOut = ".to_out";

    private static readonly (string Prefix, LoraPart Part)[] Parts =
    [
        ("unet.", LoraPart.Denoiser),
        ("transformer.", LoraPart.Denoiser),
        ("text_encoder.", LoraPart.TextEncoder),
        ("text_encoder_2.", LoraPart.SecondTextEncoder),
        ("base_model.model.", LoraPart.Denoiser), // PEFT's own, of one network
    ];

    private static readonly (string Prefix, LoraPart Part)[] Underscores =
    [
        ("lora_unet_", LoraPart.Denoiser),
        ("lora_te_", LoraPart.TextEncoder),
        ("lora_te1_", LoraPart.TextEncoder),
        ("lora_te2_", LoraPart.SecondTextEncoder),
    ];

    private static readonly (string Suffix, LoraRole Role)[] Roles =
    [
        (".lora_down.weight", LoraRole.Down), // kohya
        (".lora_up.weight", LoraRole.Up),
        (".lora_A.weight", LoraRole.Down), // PEFT
        (".lora_B.weight", LoraRole.Up),
        (".lora_A.default.weight", LoraRole.Down),
        (".lora_B.default.weight", LoraRole.Up),
        (".lora.down.weight", LoraRole.Down), // diffusers
        (".lora.up.weight", LoraRole.Up),
        (".lora_linear_layer.down.weight", LoraRole.Down),
        (".lora_linear_layer.up.weight", LoraRole.Up),
        ("_lora.down.weight", LoraRole.Down), // its attention processors
        ("_lora.up.weight", LoraRole.Up),
        (".alpha", LoraRole.Alpha),
    ];

    /// <summary>Takes a name apart; null for one that is not known.</summary>
    public static LoraKey? Parse(string name)
    {
        var (suffix, role) = Array.Find(Roles, r => name.EndsWith(r.Suffix, StringComparison.Ordinal));
        if (suffix is null)
            return null;
        string module = name[..^suffix.Length];
        if (Array.Find(Underscores, p => module.StartsWith(p.Prefix, StringComparison.Ordinal)) is { Prefix: { } before } found)
            return module.Length > before.Length ? new(found.Part, module[before.Length..], true, role) : null;
        var (prefix, part) = Array.Find(Parts, p => module.StartsWith(p.Prefix, StringComparison.Ordinal));
        module = module[(prefix?.Length ?? 0)..].Replace(Processor, ".", StringComparison.Ordinal);
        if (suffix.StartsWith('_') && module.EndsWith(ToOut, StringComparison.Ordinal))
            module += ".0";
        return module.Length > 0 ? new(part, module, false, role) : null; // files of processors alone have no prefix: the U-Net's
    }

    /// <summary>The part that a prefix of names stands for; null for one that is not known.</summary>
    public static LoraPart? PartOf(string prefix)
        => Array.Find(Parts, p => p.Prefix == prefix) is { Prefix: not null } found ? found.Part : null;
}
