using FewStep.Denoising;

namespace FewStep.Search;

/// <summary>The images that a training loss is averaged over. Which ones are read, and in what order, is the reader's choice, so a source
/// sorted by class does no harm.</summary>
internal interface ITrainingImages
{
    ImageShape Shape { get; }
    long Count { get; }

    /// <summary>Number of classes; 0 (default) without labels.</summary>
    int Classes => 0;

    /// <returns>Images [B,C,H,W] in [-1,1], float32, on any device, and class indices int64 [B] or null; the caller owns both.</returns>
    (Tensor Images, Tensor? Labels) Read(IReadOnlyList<long> indices);
}
