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
        terminal.Remark(model, images);
        return images;
    }

    /// <summary>The model's own samples, where they are asked for, or nothing is said for a model whose images cannot be the embedded
    /// ones; else null.</summary>
    public static OwnSampleSet? Own(ParseResult parsed, Option<string> data, Model model, long seed, TerminalOutput terminal)
    {
        if (OwnSampleSet.For(model, parsed.GetRequiredValue(data), parsed.IsGiven(data), seed) is not { } own)
            return null;
        string why = parsed.IsGiven(data) ? "" : "There are no images (--data): ";
        terminal.Message(InvariantText.Of($"{why}training images are at most {own.Count:N0} ") + $"{own.Words}.");
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
