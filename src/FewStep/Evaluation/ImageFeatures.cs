using FewStep.Data;
using FewStep.Runtime;
using static TorchSharp.torch;

namespace FewStep.Evaluation;

/// <summary>Runs images of a set through a feature network into statistics.</summary>
internal static class ImageFeatures
{
    public static void Add(FeatureStatistics statistics, IImageSet images, ReadOnlySpan<int> indices, IFeatureExtractor extractor, int batch, IProgress<WorkProgress>? progress, CancellationToken cancellation)
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
            var part = indices.Slice(done, Math.Min(batch, indices.Length - done));
            statistics.Add(extractor.Extract(batches.Read(part)));
            progress?.Report(new("features of real images", done + part.Length, indices.Length, "img"));
        }
    }
}
