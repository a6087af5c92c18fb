namespace FewStep.Tests.Onnx;

/// <summary>Writes small ONNX files by hand: a message of protobuf is a few fields, and a graph a few messages.</summary>
internal sealed class OnnxFile
{
    public const int Float = 1, Int32 = 6, Int64 = 7, Bool = 9, Double = 11;

    private readonly List<byte[]> _nodes = [], _initializers = [], _inputs = [], _outputs = [], _metadata = [];

    /// <summary>An input; a size of null is symbolic.</summary>
    public OnnxFile Input(string name, int type, params int?[] sizes)
    {
        _inputs.Add(Value(name, type, sizes));
        return this;
    }

    public OnnxFile Output(string name, params int?[] sizes)
    {
        _outputs.Add(Value(name, Float, sizes));
        return this;
    }

    public OnnxFile Node(string operation, string output, params string[] inputs)
    {
        _nodes.Add([.. inputs.SelectMany(i => Text(1, i)), .. Text(2, output), .. Text(3, output), .. Text(4, operation)]);
        return this;
    }

    /// <summary>A cast to float32, the only operation here with an attribute.</summary>
    public OnnxFile CastToFloat(string output, string input)
    {
        byte[] attribute = [.. Text(1, "to"), .. Number(3, Float), .. Number(20, 2)];
        _nodes.Add([.. Text(1, input), .. Text(2, output), .. Text(3, output), .. Text(4, "Cast"), .. Bytes(5, attribute)]);
        return this;
    }

    /// <summary>A loop without end that passes its input on.</summary>
    public OnnxFile Endless(string output, string input)
    {
        _initializers.Add(Tensor("always", Bool, [], [1]));
        byte[] body =
        [
            .. Bytes(1, [.. Text(1, "on"), .. Text(2, "on_again"), .. Text(4, "Identity")]),
            .. Bytes(1, [.. Text(1, "value"), .. Text(2, "value_again"), .. Text(4, "Identity")]), .. Text(2, "body"),
            .. Bytes(11, Value("round", Int64, [])), .. Bytes(11, Value("on", Bool, [])),
            .. Bytes(11, Value("value", Float, [null, 1, 2, 2])),
            .. Bytes(12, Value("on_again", Bool, [])), .. Bytes(12, Value("value_again", Float, [null, 1, 2, 2])),
        ];
        byte[] attribute = [.. Text(1, "body"), .. Bytes(6, body), .. Number(20, 5)];
        _nodes.Add([.. Text(1, ""), .. Text(1, "always"), .. Text(1, input), .. Text(2, output), .. Text(3, output), .. Text(4, "Loop"),
            .. Bytes(5, attribute)]);
        return this;
    }

    public OnnxFile Floats(string name, int[] sizes, params float[] values)
        => Initializer(Tensor(name, Float, [.. sizes.Select(s => (long)s)], values.SelectMany(BitConverter.GetBytes)));

    public OnnxFile Integers(string name, int[] sizes, params long[] values)
        => Initializer(Tensor(name, Int64, [.. sizes.Select(s => (long)s)], values.SelectMany(BitConverter.GetBytes)));

    /// <summary>Floats that lie in another file.</summary>
    public OnnxFile External(string name, int[] sizes, string location) => Initializer(
    [
        .. sizes.SelectMany(s => Number(1, (ulong)s)), .. Number(
            2, Float), .. Text(8, name), .. Bytes(13, [.. Text(1, "location"), .. Text(2, location)]), .. Number(14, 1),
    ]);

    public OnnxFile Metadata(string key, string value)
    {
        _metadata.Add([.. Text(1, key), .. Text(2, value)]);
        return this;
    }

    /// <summary>A tensor that says it has these sizes, with four bytes.</summary>
    public OnnxFile Claims(string name, params long[] sizes) => Initializer(Tensor(name, Float, sizes, [0, 0, 0, 0]));

    public byte[] ToArray()
    {
        byte[] graph =
        [
            .. _nodes.SelectMany(n => Bytes(1, n)), .. Text(2, "graph"), .. _initializers.SelectMany(
                i => Bytes(5, i)), .. _inputs.SelectMany(i => Bytes(11, i)), .. _outputs.SelectMany(o => Bytes(12, o)),
        ];
        return
        [
            .. Number(1, 8), .. Text(2, "tests"), .. Bytes(7, graph), .. Bytes(8, [.. Text(1, ""), .. Number(2, 16)]),
            .. _metadata.SelectMany(m => Bytes(14, m)),
        ];
    }

    public string Write(string path)
    {
        File.WriteAllBytes(path, ToArray());
        return path;
    }

    private OnnxFile Initializer(byte[] tensor)
    {
        _initializers.Add(tensor);
        return this;
    }

    private static byte[] Tensor(string name, int type, long[] sizes, IEnumerable<byte> raw) =>
        [.. sizes.SelectMany(s => Number(1, unchecked((ulong)s))), .. Number(2, (ulong)type), .. Text(8, name), .. Bytes(9, [.. raw])];

    private static byte[] Value(string name, int type, int?[] sizes)
    {
        byte[] shape = [.. sizes.SelectMany(
            (size, i) => Bytes(1, size is int fixedSize ? Number(1, (ulong)fixedSize) : Text(2, i == 0 ? "batch" : $"size{i}")))];
        return [.. Text(1, name), .. Bytes(2, Bytes(1, [.. Number(1, (ulong)type), .. Bytes(2, shape)]))];
    }

    private static byte[] Text(int field, string text) => Bytes(field, Encoding.UTF8.GetBytes(text));

    private static byte[] Bytes(int field, byte[] content)
        => [.. Varint(((ulong)field << 3) | 2), .. Varint((ulong)content.Length), .. content];

    private static byte[] Number(int field, ulong value) => [.. Varint((ulong)field << 3), .. Varint(value)];

    private static byte[] Varint(ulong value)
    {
        var bytes = new List<byte>();
        for (; value >= 0x80; value >>= 7)
            bytes.Add((byte)(value | 0x80));
        return [.. bytes, (byte)value];
    }
}
