namespace FewStep.Checkpoints;

/// <summary>A LoRA that is fused into a model's weights when they are read (Hu et al. 2106.09685).</summary>
/// <param name="Path">Its file, safetensors or <c>torch.save</c>.</param>
/// <param name="Scale">Factor of all of its updates; 1 is as it was trained.</param>
internal readonly record struct Lora(string Path, double Scale)
{
    private const double LargestScale = 10;

    /// <summary>A file, or a file and its scale behind a colon. A file that is there under the whole text is meant.</summary>
    public static Lora Parse(string text)
    {
        int colon = text.LastIndexOf(':');
        return colon > 0 && !File.Exists(text)
            && double.TryParse(text.AsSpan(colon + 1), NumberStyles.Float, CultureInfo.InvariantCulture, out double scale)
            ? new Lora(text[..colon], scale) : new Lora(text, 1);
    }

    /// <summary>Reads the file.</summary>
    /// <returns>The updates; the caller owns them.</returns>
    public LoraFile Read() => Math.Abs(Scale) <= LargestScale ? LoraFile.Read(Path)
        : throw new InvalidInputException(
            $"The scale {Scale} of the LoRA {Path} is not in {-LargestScale} to {LargestScale}; 1 is as it was trained.");
}
