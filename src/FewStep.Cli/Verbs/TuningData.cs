using FewStep.Data;
using FewStep.FineTuning;
using FewStep.Runtime;

namespace FewStep.Cli.Verbs;

/// <summary>Training images split for the denoising loss: the last tenth is held out.</summary>
internal sealed class TuningData : IDisposable
{
    private readonly IImageSet _all;

    private TuningData(IImageSet all)
    {
        _all = all;
        int heldOut = Math.Max(1, all.Count / 10);
        Images = new TuningImages(SubsetImageSet.Range(all, 0, Math.Max(1, all.Count - heldOut)), SubsetImageSet.Range(all, all.Count - heldOut, heldOut));
    }

    /// <summary>The two parts.</summary>
    public TuningImages Images { get; }

    /// <summary>Opens the training split of a data set.</summary>
    public static TuningData Open(string path, IProgress<WorkProgress> progress, CancellationToken cancellation) => new(ImageSets.Open(path, DataSplit.Train, progress, cancellation));

    /// <inheritdoc/>
    public void Dispose() => _all.Dispose();
}
