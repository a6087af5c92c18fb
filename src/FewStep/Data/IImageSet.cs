namespace FewStep.Data;

/// <summary>A set of images of one shape with optional class labels; reading is thread-safe.</summary>
public interface IImageSet : IDisposable
{
    /// <summary>Shape of every image.</summary>
    ImageShape Shape { get; }

    /// <summary>Number of images.</summary>
    int Count { get; }

    /// <summary>Number of classes; 0 where there are no labels.</summary>
    int Classes { get; }

    /// <summary>SHA-256 of the content in lower-case hexadecimal, for manifests.</summary>
    string Hash { get; }

    /// <summary>Reads one image.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    /// <param name="destination">H x W x C bytes, channels last.</param>
    void Read(int index, Span<byte> destination);

    /// <summary>The class of one image; -1 where it has none.</summary>
    /// <param name="index">0 to <see cref="Count"/> - 1.</param>
    int Label(int index);
}
