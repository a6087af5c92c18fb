using FewStep.Data;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>Runs images of a set through a feature network.</summary>
internal static class ImageFeatures
{
    /// <summary>Adds the features of some images to statistics.</summary>
    public static void Add(FeatureStatistics statistics, IImageSet images, int[] indices, IFeatureExtractor extractor, int batch, IProgress<WorkProgress>? progress, CancellationToken cancellation) =>
        ForEach(images, indices, extractor, batch, "features of real images", (_, features) => statistics.Add(features), progress, cancellation);

    /// <summary>Hands out the features of some images, batch by batch.</summary>
    /// <param name="images">The images.</param>
    /// <param name="indices">Which, in order.</param>
    /// <param name="extractor">The feature network.</param>
    /// <param name="batch">Images at a time, 1 or more.</param>
    /// <param name="stage">What progress calls the work.</param>
    /// <param name="take">Receives the number of images before the batch, and its features [B,d], which are disposed of afterwards.</param>
    /// <param name="progress">Told the images done; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="InvalidInputException">The images do not fit the extractor, or one cannot be read.</exception>
    public static void ForEach(
        IImageSet images,
        int[] indices,
        IFeatureExtractor extractor,
        int batch,
        string stage,
        Action<int, Tensor> take,
        IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        if (images.Shape != extractor.Shape)
        {
            throw new InvalidInputException($"The images have shape {images.Shape}; the features of '{extractor.Name}' need {extractor.Shape}.");
        }

        var batches = new ImageTensors(images);
        for (int done = 0; done < indices.Length; done += batch)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            var part = indices.AsSpan(done, Math.Min(batch, indices.Length - done));
            take(done, extractor.Extract(batches.Read(part)));
            progress?.Report(new(stage, done + part.Length, indices.Length, "img"));
        }
    }
}
