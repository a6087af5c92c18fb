using FewStep.Data;

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

/// <summary>Images as the latents that a model denoises. A batch is encoded when it is read, and not kept: a loss curve reads an image
/// once for all of its noise levels.</summary>
/// <param name="autoencoder">Not disposed.</param>
internal sealed class EncodedImages(ITrainingImages images, IAutoencoder autoencoder, ImageShape latents) : ITrainingImages
{
    public ImageShape Shape => latents;
    public long Count => images.Count;
    public int Classes => images.Classes;

    public (Tensor Images, Tensor? Labels) Read(IReadOnlyList<long> indices)
    {
        using var scope = NewDisposeScope();
        var (read, labels) = images.Read(indices);
        scope.Attach(read);
        return (autoencoder.EncodeAll(read).MoveToOuterDisposeScope(), labels?.MoveToOuterDisposeScope());
    }
}

/// <summary>An image set as the source of a loss curve.</summary>
/// <param name="images">The set; not disposed.</param>
internal sealed class TrainingImages(IImageSet images) : ITrainingImages
{
    public ImageShape Shape => images.Shape;
    public long Count => images.Count;
    public int Classes => images.Classes;

    public (Tensor Images, Tensor? Labels) Read(IReadOnlyList<long> indices)
    {
        int size = checked((int)images.Shape.Dimension);
        var bytes = new byte[checked(indices.Count * size)];
        for (int i = 0; i < indices.Count; i++)
            images.Read(checked((int)indices[i]), bytes.AsSpan(i * size, size));
        using var scope = NewDisposeScope();
        var pixels = tensor(bytes, [indices.Count, Shape.Height, Shape.Width, Shape.Channels]).permute(0, 3, 1, 2).contiguous();
        var scaled = PixelScale.FromBytes(pixels).MoveToOuterDisposeScope();
        var labels = images.Classes == 0 ? null
            : tensor(indices.Select(i => (long)images.Label((int)i)).ToArray(), ScalarType.Int64).MoveToOuterDisposeScope();
        return (scaled, labels);
    }
}
