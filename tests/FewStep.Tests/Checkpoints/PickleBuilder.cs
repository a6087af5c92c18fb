using System.Buffers.Binary;

namespace FewStep.Tests.Checkpoints;

/// <summary>Composes pickles opcode by opcode, as Python's pickler would and as it never would.</summary>
internal sealed class PickleBuilder
{
    private readonly List<byte> _bytes = [];

    public PickleBuilder(byte protocol = 2)
    {
        Raw(0x80, protocol);
    }

    public byte[] Bytes => [.. _bytes];

    public PickleBuilder Raw(params ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public PickleBuilder Op(string opcodes) => Raw(Encoding.Latin1.GetBytes(opcodes));

    public PickleBuilder Text(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        return Op("X").Int32(utf8.Length).Raw(utf8);
    }

    public PickleBuilder Number(long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return Raw(0x8a, 8).Raw(bytes);
    }

    public PickleBuilder Tuple(params long[] values)
    {
        Op("(");
        foreach (long value in values)
            Number(value);
        return Op("t");
    }

    public PickleBuilder Global(string module, string name) => Op($"c{module}\n{name}\n");

    public PickleBuilder ByteString(byte[] bytes) => Op("B").Int32(bytes.Length).Raw(bytes);

    public PickleBuilder Int32(int value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return Raw(bytes);
    }

    /// <summary>A tensor over the storage <paramref name="key"/>, as torch.save writes it.</summary>
    public PickleBuilder Tensor(string key, long storageCount, long offset, long[] shape, long[] strides, string storage = "FloatStorage")
        => Global("torch._utils", "_rebuild_tensor_v2").Op("((").Text("storage").Global("torch", storage).Text(key).Text("cpu")
            .Number(storageCount).Op("tQ")
            .Number(offset).Tuple(shape).Tuple(strides).Raw(0x89).Global("collections", "OrderedDict").Op(")RtR");
}
