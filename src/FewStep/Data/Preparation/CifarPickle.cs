using FewStep.Checkpoints;

namespace FewStep.Data;

/// <summary>The pickles of CIFAR-10's Python version: dictionaries with <c>data</c>, a NumPy array uint8 [N, 3072], and <c>labels</c>, or
/// with <c>label_names</c>. Nothing in them is run.</summary>
internal static class CifarPickle
{
    private const string Rebuilt = "numpy.core.multiarray._reconstruct", RebuiltNow = "numpy._core.multiarray._reconstruct";
    private const string Type = "numpy.dtype";
    private static readonly PickleCalls Calls = new([Rebuilt, RebuiltNow, Type, "numpy.ndarray"]);

    /// <summary>The images of a batch.</summary>
    public static IEnumerable<CifarImage> Batch(byte[] file, string where)
    {
        var content = Read(file, where);
        if (content["data"] is not PickleObject
            { Callee: Rebuilt or RebuiltNow, State: object?[] and [_, object?[] shape, var type, false, var values] }
            || type is not PickleObject { Callee: Type, Arguments: ["u1", ..] } || shape is not [long count, long columns]
            || columns != CifarSource.ImageBytes || values is not ByteSource bytes || bytes.Length != count * columns
            || content["labels"] is not List<object?> labels || labels.Count != count || !labels.All(l => l is >= 0L and <= byte.MaxValue))
        {
            throw new InvalidInputException($"{where} is no batch of CIFAR-10: 'data', uint8 [N, {CifarSource.ImageBytes}], and as many "
                + "'labels' are needed. Fetch it anew.");
        }

        byte[] planes = bytes.ToArray(file.Length);
        return labels.Select((label, i) => new CifarImage(
            (int)(long)label!, planes.AsMemory(i * CifarSource.ImageBytes, CifarSource.ImageBytes)));
    }

    /// <summary>The classes' names.</summary>
    public static string[] Names(byte[] file, string where)
        => Read(file, where)["label_names"] is List<object?> names && names.All(n => n is string) ? [.. names.Cast<string>()]
            : throw new InvalidInputException($"{where} has no list 'label_names'. Fetch it anew.");

    private static PickleDictionary Read(byte[] file, string where)
    {
        long position = 0;
        return PickleReader.Read(new ByteSource(file, where), ref position, Calls) as PickleDictionary
            ?? throw new InvalidInputException($"{where} is no batch of CIFAR-10: it holds no dictionary. Fetch it anew.");
    }
}
