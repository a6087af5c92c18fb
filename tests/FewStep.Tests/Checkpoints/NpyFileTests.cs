using System.Buffers.Binary;
using CsCheck;
using FewStep.Checkpoints;

namespace FewStep.Tests.Checkpoints;

public sealed class NpyFileTests : FolderTests
{
    public static TheoryData<Array> AllTypes => new((Array[])
    [
        new float[] { 1, -2.5f, float.NaN, 4, 5, 6 },
        new double[] { 1, -2.5, double.PositiveInfinity, 4, 5, 6 },
        new Half[] { (Half)1, (Half)2, (Half)3, (Half)4, (Half)5, (Half)6 },
        new int[] { 1, int.MinValue, 3, 4, 5, 6 },
        new long[] { 1, long.MaxValue, 3, 4, 5, 6 },
        new byte[] { 1, 255, 3, 4, 5, 6 },
    ]);

    [Theory]
    [MemberData(nameof(AllTypes))]
    public void What_is_written_is_read_back(Array values)
    {
        string path = _folder.File("a.npy");
        NpyFiles.Write(path, new NpyArray(values, 2, 3));
        NpyArray read = NpyFiles.Read(path);
        Assert.Equal(values, read.Values);
        Assert.Equal([2, 3], read.Shape);
        Assert.Equal(0, (new FileInfo(path).Length - Bytes(values).Length) % 64);
        using Tensor tensor = read.ToTensor();
        Assert.Equal(values, NpyArray.FromTensor(tensor).Values);
    }

    [Fact]
    public void Any_shape_survives_a_zip() => Gen.Long[0, 4].Array[0, 5].Select(Gen.Bool).Sample((shape, compress) =>
    {
        string path = _folder.File("any.npz");
        double[] values = [.. Enumerable.Range(0, (int)shape.Aggregate(1L, (a, b) => a * b)).Select(i => i + 0.5)];
        NpzFile.Write(path, new Dictionary<string, NpyArray> { ["x"] = new(values, shape), ["one"] = new(new[] { 1L }) }, compress);
        IReadOnlyDictionary<string, NpyArray> read = NpzFile.Read(path);
        return read["x"].Shape.SequenceEqual(shape) && read["x"].ToDoubles().SequenceEqual(values) && read["one"].Shape.IsEmpty;
    }, iter: 50, threads: 1);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Fortran_order_of_every_version_becomes_C_order(byte version)
    {
        // Element [i,j,k] of a 2x3x4 array is 100 i + 10 j + k; the first index is the fastest in the file.
        var data = new List<byte>();
        for (int k = 0; k < 4; k++)
        {
            for (int j = 0; j < 3; j++)
            {
                for (int i = 0; i < 2; i++)
                    data.AddRange(BitConverter.GetBytes((100 * i) + (10 * j) + k));
            }
        }

        string path = _folder.Write("f.npy", Npy("{'fortran_order': True, \"descr\": '<i4', 'shape': (2, 3, 4)}\n", [.. data], version));
        Assert.Equal(
            from i in Enumerable.Range(0, 2)
            from j in Enumerable.Range(0, 3)
            from k in Enumerable.Range(0, 4)
            select (100 * i) + (10 * j) + k,
            (int[])NpyFiles.Read(path).Values);
    }

    [Theory]
    [InlineData("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", "'|O'")]
    [InlineData("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", "'>f4'")]
    [InlineData("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }", "several fields")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", "needs 8 bytes and it holds 4")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999,), }", "2 GiB")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296), }", "2 GiB")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 99999999999999999999), }", "cannot be read")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }", "cannot be read")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': __import__('os'), }", "cannot be read")]
    [InlineData("{'descr': '<f4', 'fortran_order': False}", "lacks")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", "cannot be read")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } + 1", "cannot be read")]
    [InlineData("{'descr': '<f4', 'fortran_order': False, 'shape': (1,", "cannot be read")]
    [InlineData("", "cannot be read")]
    public void A_bad_header_is_refused(string header, string reason)
        => Refused.With(reason, () => NpyFiles.Read(_folder.Write("bad.npy", Npy(header, new byte[4]))));

    [Fact]
    public void Every_truncation_is_refused()
    {
        byte[] whole = Npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }", new byte[4]);
        for (int length = 0; length < whole.Length; length++)
            Refused.With("", () => NpyFiles.Read(_folder.Write("cut.npy", whole.AsSpan(0, length))));
    }

    [Fact]
    public void A_zip_that_lies_or_is_damaged_is_refused()
    {
        string path = _folder.File("a.npz");
        NpzFile.Write(path, new Dictionary<string, NpyArray> { ["zeros"] = new(new float[1 << 20], 1 << 20) });
        Refused.With("no array 'x'", () => NpzFile.Read(path, ["x"]));
        Refused.With("more than 1000 bytes", () => NpzFile.Read(path, maximumBytes: 1000));
        string packed = _folder.File("packed.npz");
        NpzFile.Write(packed, new Dictionary<string, NpyArray> { ["zeros"] = new(new byte[140 << 20], 140 << 20) });
        Refused.With("the limit for its size", () => NpzFile.Read(packed));

        byte[] bytes = File.ReadAllBytes(path);
        int directory = bytes.AsSpan().LastIndexOf("PK\u0001\u0002"u8);
        byte[] bomb = [.. bytes];
        BinaryPrimitives.WriteUInt32LittleEndian(bomb.AsSpan(directory + 24), 0xfffffff0);
        Refused.With("claims", () => NpzFile.Read(_folder.Write("bomb.npz", bomb)));

        byte[] wrongChecksum = [.. bytes];
        wrongChecksum[directory + 16] ^= 1;
        Refused.With("checksum", () => NpzFile.Read(_folder.Write("crc.npz", wrongChecksum)));
        Refused.With("zip", () => NpzFile.Read(_folder.Write("none.npz", bytes.AsSpan(0, bytes.Length / 2))));
        Refused.With("Cannot read", () => NpzFile.Read(_folder.File("missing.npz")));
    }

    private static byte[] Bytes(Array values)
    {
        using Tensor tensor = new NpyArray(values, values.Length).ToTensor();
        return tensor.bytes.ToArray();
    }

    private static byte[] Npy(string header, byte[] data, byte version = 1)
    {
        byte[] text = Encoding.ASCII.GetBytes(header);
        byte[] length = version == 1 ? BitConverter.GetBytes((ushort)text.Length) : BitConverter.GetBytes((uint)text.Length);
        return [0x93, .. "NUMPY"u8, version, 0, .. length, .. text, .. data];
    }
}
