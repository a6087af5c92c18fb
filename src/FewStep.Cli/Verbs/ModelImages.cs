namespace FewStep.Cli.Verbs;

/// <summary><c>--data</c> as images that a model was trained on: files, or fine samples of its own.</summary>
internal static class ModelImages
{
    public static IImageSet Open(ParseResult parsed, Option<string> data, Model model, long seed, TerminalOutput terminal,
        CancellationToken cancellation)
    {
        if (Own(parsed, data, model, seed, terminal) is { } own)
            return own;
        var images = ImageSets.Open(parsed.GetRequiredValue(data), progress: terminal.Progress, cancellation: cancellation);
        terminal.Remark(model.Denoiser, images);
        return images;
    }

    /// <summary>The model's own samples, where they are asked for, or nothing is said for a model whose images cannot be the embedded
    /// ones; else null.</summary>
    public static OwnSampleSet? Own(ParseResult parsed, Option<string> data, Model model, long seed, TerminalOutput terminal)
    {
        bool asked = OwnSampleSet.Is(parsed.GetRequiredValue(data), out int? count);
        if (!asked && (parsed.IsGiven(data) || (model.Prompts ?? (object?)model.Autoencoder) is null))
            return null;
        var own = new OwnSampleSet(model, count, seed);
        terminal.Message(InvariantText.Of($"{(asked ? "" : "There are no images (--data): ")}training images are at most {own.Count:N0} ")
            + $"{own.Words}.");
        return own;
    }
}

/// <summary>The images of a model, opened when they are first asked for.</summary>
internal sealed class DelayedImages(
    ParseResult parsed, Option<string> data, Model model, long seed, TerminalOutput terminal, CancellationToken cancellation) : IDisposable
{
    private IImageSet? _value;

    public IImageSet Value => _value ??= ModelImages.Open(parsed, data, model, seed, terminal, cancellation);
    public void Dispose() => _value?.Dispose();
}
