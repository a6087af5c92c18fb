using FewStep.Denoising;
using static TorchSharp.torch;

namespace FewStep.Search;

/// <summary>The images that a training loss is averaged over. Which ones are read, and in what order, is the reader's choice, so a source sorted by class does no harm.</summary>
public interface ITrainingImages
{
    /// <summary>Shape of an image.</summary>
    ImageShape Shape { get; }

    /// <summary>Number of images.</summary>
    long Count { get; }

    /// <summary>Number of classes; 0 (default) without labels.</summary>
    int Classes => 0;

    /// <summary>Reads images.</summary>
    /// <param name="indices">B indices from 0 to <see cref="Count"/> - 1.</param>
    /// <returns>Images [B,C,H,W] in [-1,1], float32, on any device, and class indices int64 [B] or null; the caller owns both.</returns>
    (Tensor Images, Tensor? Labels) Read(IReadOnlyList<long> indices);
}
