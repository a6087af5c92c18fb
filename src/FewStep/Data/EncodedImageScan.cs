using System.Buffers.Binary;
using System.Security.Cryptography;
using FewStep.Denoising;

namespace FewStep.Data;

/// <summary>One pass over the encoded images of a set when it is opened: all headers checked, the shape found, the content
/// hashed.</summary>
internal static class EncodedImageScan
{
    public const int LargestFile = 64 << 20;
    public const int LargestJson = 256 << 20;
    private const int ReportEvery = 1000;

    /// <summary>Checks every image. The hash covers names, bytes and dataset.json, so a folder and a zip of the same content have the
    /// same.</summary>
    public static (ImageShape Shape, string Hash) Run(
        IReadOnlyList<string> names, Func<int, byte[]> read, byte[]? datasetJson, string container, IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        ImageShape? shape = null;
        for (int i = 0; i < names.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            byte[] file = read(i);
            string where = Where(names[i], container);
            var found = ImageHeader.Read(file, where);
            ImageDecoder.CheckShape(found, shape ??= found, where);
            Append(hash, Encoding.UTF8.GetBytes(names[i]));
            Append(hash, file);
            if ((i + 1) % ReportEvery == 0 || i + 1 == names.Count)
                progress?.Report(new WorkProgress("check images", i + 1, names.Count, "img"));
        }

        if (datasetJson is not null)
            Append(hash, datasetJson);

        return (shape!, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    public static string Where(string name, string container) => $"{EntryName.Shown(name)} in {container}";

    // The length goes before the bytes: without it two different lists of parts could hash alike.
    private static void Append(IncrementalHash hash, ReadOnlySpan<byte> part)
    {
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, part.Length);
        hash.AppendData(length);
        hash.AppendData(part);
    }
}
