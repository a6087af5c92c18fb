namespace FewStep.Checkpoints;

/// <summary>Whose names the tensors of a LoRA file have.</summary>
public enum LoraNames
{
    /// <summary>Those of diffusers' <c>load_lora_weights</c>: <c>unet.MODULE.lora.down.weight</c> of a U-Net,
    /// <c>transformer.MODULE.lora_A.weight</c> of a transformer; alpha is multiplied in.</summary>
    Diffusers,

    /// <summary>Those of kohya's scripts, as most user interfaces read them: <c>lora_unet_MODULE.lora_down.weight</c> with <c>.alpha</c>;
    /// of U-Nets alone.</summary>
    Kohya,
}
