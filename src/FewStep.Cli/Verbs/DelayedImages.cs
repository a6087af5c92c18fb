namespace FewStep.Cli.Verbs;

/// <summary>The images at a path, opened when they are first asked for.</summary>
internal sealed class DelayedImages(string path, IProgress<WorkProgress> progress, CancellationToken cancellation) : IDisposable
{
    private IImageSet? _value;

    public IImageSet Value => _value ??= ImageSets.Open(path, progress: progress, cancellation: cancellation);

    public void Dispose() => _value?.Dispose();
}
