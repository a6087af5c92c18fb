using FewStep.Data;

namespace FewStep.Models;

/// <summary>Images that a model made; dispose them.</summary>
public sealed class Samples : IDisposable
{
    internal Samples(Tensor images, Tensor? latents, IReadOnlyList<long> seeds, Sampler sampler, double evaluationsPerImage) =>
        (Images, Latents, Seeds, Sampler, EvaluationsPerImage) = (images, latents, seeds, sampler, evaluationsPerImage);

    /// <summary>[B,C,H,W] float32, about -1 to 1, on the model's device; owned here.</summary>
    public Tensor Images { get; }

    /// <summary>What the images were decoded from [B,c,h,w], float32, on the model's device; null for a model of images. Owned
    /// here.</summary>
    public Tensor? Latents { get; }

    /// <summary>The seeds, in the order of the images.</summary>
    public IReadOnlyList<long> Seeds { get; }

    /// <summary>What they were made with.</summary>
    public Sampler Sampler { get; }

    /// <summary>Network evaluations that an image took (NFE), counted.</summary>
    public double EvaluationsPerImage { get; }

    /// <summary>Writes all images as one.</summary>
    /// <param name="path">Target, which ends in <c>.png</c>.</param>
    /// <param name="columns">Images in a row, at most 1,024; 0 (default) makes it square.</param>
    /// <exception cref="Platform.InvalidInputException">An image holds NaN, or the file cannot be written.</exception>
    public void SaveGrid(string path, int columns = 0) => PngFile.WriteGrid(path, Images, new GridLayout { Columns = columns });

    /// <summary>Writes each image as a PNG file named by its seed: 000000.png.</summary>
    /// <param name="folder">Target; created where missing.</param>
    /// <exception cref="Platform.InvalidInputException">An image holds NaN, or a file cannot be written.</exception>
    public void Save(string folder)
    {
        for (int i = 0; i < Seeds.Count; i++)
        {
            using var image = Images[i];
            PngFile.WriteEach(folder, image, Seeds[i]);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Images.Dispose();
        Latents?.Dispose();
    }
}
