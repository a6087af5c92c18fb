namespace FewStep.Data;

/// <summary>Images in the order in which a data set is made of them; unlike those of an <see cref="IImageSet"/> they may differ in size.
/// Not thread-safe; read them in order.</summary>
internal interface IImageSource : IDisposable
{
    int Count { get; }

    /// <summary>Names of the classes by label; null where they are not known, or there are no labels.</summary>
    IReadOnlyList<string>? ClassNames { get; }

    /// <summary>Class of an image; -1 where there are no labels.</summary>
    int Label(int index);

    PixelImage Read(int index);
}
