namespace FewStep.Data;

/// <summary>Greyscale images and labels from a pair of idx files.</summary>
internal static class IdxImageSet
{
    /// <param name="labelsPath">Null for images without labels.</param>
    public static MemoryImageSet Read(string imagesPath, string? labelsPath)
    {
        var (sizes, pixels) = IdxFile.Read(imagesPath, 3);
        var shape = new ImageShape(1, sizes[1], sizes[2]);
        if (labelsPath is null)
            return new MemoryImageSet(shape, pixels, null, []);
        var (labelSizes, labels) = IdxFile.Read(labelsPath, 1);
        return labelSizes[0] == sizes[0] ? new MemoryImageSet(shape, pixels, Array.ConvertAll(labels, label => (int)label), labels)
            : throw new InvalidInputException($"{labelsPath} has {labelSizes[0]} labels for the {sizes[0]} images of {imagesPath}.");
    }
}
