namespace FewStep.Platform;

/// <summary>The bytes of a tensor of any size in parts: a span holds no more than 2 GB, and a flat buffer of 750 million weights has
/// three.</summary>
internal static class TensorBytes
{
    private const long PartBytes = 1 << 28;

    public delegate void PartReader(ReadOnlySpan<byte> part);

    /// <summary>Hands the bytes over in order.</summary>
    /// <param name="tensor">On any device, in any layout; not changed.</param>
    public static void Read(Tensor tensor, PartReader read)
    {
        using var scope = NewDisposeScope();
        var flat = tensor.detach().cpu().contiguous().view(-1);
        long count = flat.NumberOfElements, most = PartBytes / flat.element_size();
        for (long done = 0; done < count; done += most)
            read(flat.narrow(0, done, Math.Min(most, count - done)).bytes);
    }
}
