namespace FewStep.Data;

/// <summary>The images of an <see cref="IImageSet"/> as a source. Owns the set; dispose it.</summary>
internal sealed class ImageSetSource(IImageSet set) : IImageSource
{
    public int Count => set.Count;
    public IReadOnlyList<string>? ClassNames => null;
    public int Label(int index) => set.Label(index);

    public PixelImage Read(int index)
    {
        var image = new PixelImage(set.Shape, new byte[set.Shape.Dimension]);
        set.Read(index, image.Bytes);
        return image;
    }

    public void Dispose() => set.Dispose();
}
