using System.Buffers.Binary;

namespace FewStep.Checkpoints;

/// <summary>What a file or folder is by its content.</summary>
public enum ModelFormat
{
    /// <summary>Nothing that is known.</summary>
    Unknown,

    /// <summary>A model folder of this program.</summary>
    Folder,

    /// <summary>A folder of diffusers.</summary>
    Diffusers,

    /// <summary>A pickle, as NVlabs/edm's networks are.</summary>
    Pickle,

    /// <summary>A file of <c>torch.save</c>, in its zip format or the one before.</summary>
    TorchState,

    /// <summary>A safetensors file.</summary>
    Safetensors,
}

/// <summary>Recognises models by their first bytes, whatever their names end in.</summary>
public static class ModelFormats
{
    private const byte PickleProtocol = 0x80;
    private const int HeadBytes = 16;

    // Protocol 2 and the start of the ten-byte number with which the older format of torch.save begins.
    private static readonly byte[] TorchMagic = [PickleProtocol, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];

    /// <summary>Looks at a file or folder.</summary>
    /// <param name="path">It.</param>
    /// <returns>What it is as far as its start tells; <see cref="ModelFormat.Unknown"/> for what is not there.</returns>
    /// <exception cref="Platform.InvalidInputException">The file cannot be read.</exception>
    public static ModelFormat Detect(string path)
    {
        if (Directory.Exists(path))
        {
            return DiffusersFolder.IsOne(path) ? ModelFormat.Diffusers : ModelFormat.Folder;
        }

        if (!File.Exists(path))
        {
            return ModelFormat.Unknown;
        }

        using ByteSource source = ByteSource.Open(path);
        Span<byte> head = stackalloc byte[HeadBytes];
        head = head[..(int)Math.Min(source.Length, HeadBytes)];
        source.Read(0, head);
        if (head.StartsWith("PK"u8) || head.StartsWith(TorchMagic))
        {
            return ModelFormat.TorchState;
        }

        if (head.Length > 8 && head[8] == (byte)'{' && BinaryPrimitives.ReadInt64LittleEndian(head) is > 1 and var length && length <= source.Length - 8)
        {
            return ModelFormat.Safetensors;
        }

        return head.Length > 1 && head[0] == PickleProtocol && head[1] is >= 2 and <= 5 ? ModelFormat.Pickle : ModelFormat.Unknown;
    }
}
