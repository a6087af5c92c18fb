namespace FewStep.Data;

/// <summary>Images without their labels, which mean something else to whoever reads them.</summary>
/// <param name="images">Not disposed.</param>
internal sealed class UnlabelledImageSet(IImageSet images) : IImageSet
{
    public ImageShape Shape => images.Shape;
    public int Count => images.Count;
    public int Classes => 0;
    public string Hash => images.Hash;

    public int Label(int index) => -1;

    public void Read(int index, Span<byte> destination) => images.Read(index, destination);

    public void Dispose()
    {
        // The images are their owner's.
    }
}
