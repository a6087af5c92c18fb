namespace FewStep.Data;

/// <summary>The images of an <see cref="IImageSet"/> as a source. Owns the set; dispose it.</summary>
/// <param name="set">The set; owned here from now on.</param>
public sealed class ImageSetSource(IImageSet set) : IImageSource
{
    /// <inheritdoc/>
    public int Count => set.Count;

    /// <inheritdoc/>
    public IReadOnlyList<string>? ClassNames => null;

    /// <inheritdoc/>
    public int Label(int index) => set.Label(index);

    /// <inheritdoc/>
    public PixelImage Read(int index)
    {
        var image = new PixelImage(set.Shape, new byte[set.Shape.Dimension]);
        set.Read(index, image.Bytes);
        return image;
    }

    /// <inheritdoc/>
    public void Dispose() => set.Dispose();
}
