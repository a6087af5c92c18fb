namespace FewStep.Data;

/// <summary>Part of another image set, in its order and with its classes. The other set must outlive it and stays its owner's.</summary>
internal sealed class SubsetImageSet : IImageSet
{
    private readonly IImageSet _source;
    private readonly int[] _indices;

    private SubsetImageSet(IImageSet source, int[] indices)
    {
        (_source, _indices) = (source, indices);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.ASCII.GetBytes(source.Hash));
        byte[] list = new byte[4 * indices.Length];
        for (int i = 0; i < indices.Length; i++)
            BinaryPrimitives.WriteInt32LittleEndian(list.AsSpan(4 * i), indices[i]);
        hash.AppendData(list);
        Hash = Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public ImageShape Shape => _source.Shape;
    public int Count => _indices.Length;
    public int Classes => _source.Classes;

    /// <summary>SHA-256 over the other set's hash and the chosen indices, hexadecimal.</summary>
    public string Hash { get; }

    /// <summary>Randomly chosen different images. With one seed, choices at places that do not overlap have no image in common: (n, seed,
    /// 0) to train on, (m, seed, n) held out.</summary>
    public static SubsetImageSet Random(IImageSet source, int count, long seed, int skip = 0)
    {
        Check(source, skip, count);
        return new SubsetImageSet(source, [.. EpochShuffle.Order(source, seed).Skip(skip).Take(count).Order()]);
    }

    /// <summary>Randomly chosen different images with every class equally often, to within one.</summary>
    public static SubsetImageSet Balanced(IImageSet source, int count, long seed)
    {
        Check(source, 0, count);
        if (source.Classes == 0)
            throw new InvalidInputException("A balanced subset needs labels; the set has none.");
        int[] wanted =
            [.. Enumerable.Range(0, source.Classes).Select(c => (count / source.Classes) + (c < count % source.Classes ? 1 : 0))];
        int[] missing = [.. wanted];
        var indices = new List<int>(count);
        foreach (int image in EpochShuffle.Order(source, seed).TakeWhile(_ => indices.Count < count))
        {
            if (source.Label(image) is >= 0 and var label && missing[label] > 0)
            {
                missing[label]--;
                indices.Add(image);
            }
        }

        int lacking = Array.FindIndex(missing, m => m > 0);
        if (lacking >= 0)
        {
            throw new InvalidInputException($"A balanced subset of {count} images needs {wanted[lacking]} of class {lacking}; the set has "
                + $"{wanted[lacking] - missing[lacking]}.");
        }

        indices.Sort();
        return new SubsetImageSet(source, [.. indices]);
    }

    /// <summary>Randomly chosen different images of one class, as many as there are up to a number.</summary>
    public static SubsetImageSet OfClass(IImageSet source, int label, int most, long seed)
    {
        int[] chosen = [.. EpochShuffle.Order(source, seed).Where(image => source.Label(image) == label).Take(most).Order()];
        return chosen.Length > 0 ? new SubsetImageSet(source, chosen)
            : throw new InvalidInputException($"There is no image of class {label} among the {source.Count}.");
    }

    public void Read(int index, Span<byte> destination) => _source.Read(_indices[index], destination);
    public int Label(int index) => _source.Label(_indices[index]);

    /// <summary>Does nothing: the other set belongs to whoever opened it.</summary>
    public void Dispose()
    {
    }

    private static void Check(IImageSet source, int start, int count)
    {
        if (count < 1)
            throw new InvalidInputException($"A subset needs at least 1 image, not {count}.");
        if (start < 0 || (long)start + count > source.Count)
        {
            string place = start == 0 ? "" : $" from place {start} on";
            throw new InvalidInputException(
                $"A subset of {count} image{(count == 1 ? "" : "s")}{place} does not fit into a set of {source.Count}.");
        }
    }
}
