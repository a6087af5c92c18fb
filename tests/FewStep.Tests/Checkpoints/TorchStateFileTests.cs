using System.IO.Compression;
using FewStep.Checkpoints;

namespace FewStep.Tests.Checkpoints;

public sealed class TorchStateFileTests : FolderTests
{
    private static readonly byte[] Storage = [.. Enumerable.Range(0, 6).SelectMany(i => BitConverter.GetBytes((float)i))];

    [Fact]
    public void Views_and_tied_weights_of_a_zip_are_read()
    {
        byte[] pickle = new PickleBuilder().Global("collections", "OrderedDict").Op(")R(")
            .Text("whole").Tensor("0", 6, 0, [2, 3], [3, 1])
            .Text("transposed").Tensor("0", 6, 0, [3, 2], [1, 3])
            .Text("last").Tensor("0", 6, 5, [], [])
            .Text("none").Tensor("0", 6, 0, [0, 7], [7, 1])
            .Text("step").Number(12)
            .Op("u.").Bytes;
        var tensors = TorchStateFile.Read(Zip(pickle, ("0", Storage)));
        Assert.Equal(["whole", "transposed", "last", "none"], tensors.Keys);
        Assert.Equal([0, 1, 2, 3, 4, 5], tensors["whole"].data<float>().ToArray());
        Assert.Equal([0, 3, 1, 4, 2, 5], tensors["transposed"].data<float>().ToArray());
        Assert.Equal([3, 2], tensors["transposed"].shape);
        Assert.Equal(5, tensors["last"].item<float>());
        Assert.Equal([0, 7], tensors["none"].shape);
        Free(tensors);
    }

    [Fact]
    public void The_older_format_and_sections_are_read()
    {
        byte[] file =
        [
            .. new PickleBuilder().Raw(0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19).Op(".").Bytes,
            .. new PickleBuilder().Number(1001).Op(".").Bytes,
            .. new PickleBuilder().Op("}").Text("little_endian").Raw(0x88).Op("s.").Bytes,
            .. new PickleBuilder().Op("}").Text("ema").Op("}").Text("w").Tensor("17", 6, 1, [2, 2], [2, 1]).Op("ss.").Bytes,
            .. new PickleBuilder().Op("]").Text("17").Op("a.").Bytes,
            .. BitConverter.GetBytes(6L),
            .. Storage,
        ];
        string path = _folder.Write("old.pt", file);
        var tensors = TorchStateFile.Read(path, "ema");
        Assert.Equal([1, 2, 3, 4], tensors["w"].data<float>().ToArray());
        Free(tensors);
        var found = TorchStateFile.Read(path); // the only section with tensors
        Assert.Equal([1, 2, 3, 4], found["w"].data<float>().ToArray());
        Free(found);
        Refused.With("sections: 'ema'", () => TorchStateFile.Read(path, "model"));
        for (int length = 0; length < file.Length; length++)
            Refused.With("", () => TorchStateFile.Read(_folder.Write("cut.pt", file.AsSpan(0, length)), "ema"));
    }

    [Fact]
    public void A_tensor_without_numbers_may_have_a_storage_without_bytes()
    {
        byte[] pickle = new PickleBuilder().Op("}(").Text("w").Tensor("0", 6, 0, [2, 3], [3, 1])
            .Text("e").Tensor("1", 0, 0, [0, 3], [3, 1]).Op("u.").Bytes;
        var tensors = TorchStateFile.Read(Zip(pickle, ("0", Storage), ("1", [])));
        Assert.Equal([0, 3], tensors["e"].shape);
        Assert.Equal([0, 1, 2, 3, 4, 5], tensors["w"].data<float>().ToArray());
        Free(tensors);
    }

    [Fact]
    public void What_Lightning_leaves_beside_the_weights_is_passed_over()
    {
        // {"callbacks": {ModelCheckpoint: {"score": encode("0", "latin1")}}, "state_dict": {"w": ...}}
        var pickle = new PickleBuilder().Op("}(").Text("callbacks").Op("}")
            .Global("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint").Op("}").Text("score")
            .Global("_codecs", "encode").Text("0").Text("latin1").Raw(0x86).Op("Rss")
            .Text("state_dict").Op("}").Text("w").Tensor("0", 6, 1, [2], [1]).Op("su.");
        var tensors = TorchStateFile.Read(Zip(pickle.Bytes, ("0", Storage)));
        Assert.Equal([1, 2], tensors["w"].data<float>().ToArray());
        Free(tensors);
    }

    [Fact]
    public void Of_several_sections_the_moving_average_is_read_and_said()
    {
        PickleBuilder Section(PickleBuilder pickle, string name, int offset)
            => pickle.Text(name).Op("}").Text("w").Tensor("0", 6, offset, [2], [1]).Op("s");
        var pickle = new PickleBuilder().Op("}(").Text("step").Number(7);
        string path = Zip(Section(Section(pickle, "model", 0), "ema", 2).Op("u.").Bytes, ("0", Storage));
        var remarks = new List<string>();
        var average = TorchStateFile.Read(path, null, remarks);
        Assert.Equal([2, 3], average["w"].data<float>().ToArray());
        Assert.Contains("'ema'", Assert.Single(remarks), StringComparison.Ordinal);
        var model = TorchStateFile.Read(path, "model");
        Assert.Equal([0, 1], model["w"].data<float>().ToArray());
        Free(average);
        Free(model);
        path = Zip(Section(Section(new PickleBuilder().Op("}("), "generator", 0), "encoder", 2).Op("u.").Bytes, ("0", Storage));
        Refused.With("sections: 'generator', 'encoder'", () => TorchStateFile.Read(path));
        path = Zip(Section(new PickleBuilder().Op("}").Text("model").Op("}"), "state_dict", 1).Op("ss.").Bytes, ("0", Storage));
        var nested = TorchStateFile.Read(path);
        Assert.Equal([1, 2], nested["w"].data<float>().ToArray());
        Free(nested);
    }

    public static TheoryData<long, long, long[], long[], string> BadTensors => new()
    {
        { 6, 0, [7], [1], "does not fit" },
        { 6, 5, [2], [1], "does not fit" },
        { 6, -1, [1], [1], "does not fit" },
        { 6, long.MaxValue, [1], [1], "does not fit" },
        { 6, 0, [2], [-1], "does not fit" },
        { 6, 0, [-2], [1], "does not fit" },
        { 6, 0, [2, 3], [1], "does not fit" },
        { 6, 0, [3, 3], [0, 1], "does not fit" },
        { 6, 0, [1L << 40, 1L << 40], [0, 0], "does not fit" },
        { 6, 0, [2, 2], [long.MaxValue, long.MaxValue], "does not fit" },
        { 7, 0, [6], [1], "another size" },
        { long.MaxValue, 0, [6], [1], "another size" },
    };

    [Theory]
    [MemberData(nameof(BadTensors))]
    public void A_tensor_beyond_its_storage_is_refused(long count, long offset, long[] shape, long[] strides, string reason)
        => Refused.With(reason, () => TorchStateFile.Read(
            Zip(new PickleBuilder().Op("}").Text("w").Tensor("0", count, offset, shape, strides).Op("s.").Bytes, ("0", Storage))));

    [Fact]
    public void Hostile_files_are_refused_by_name()
    {
        byte[] Tensor(string key, string storage)
            => new PickleBuilder().Op("}").Text("w").Tensor(key, 6, 0, [6], [1], storage).Op("s.").Bytes;
        Refused.With("'os.system'",
            () => TorchStateFile.Read(Zip(new PickleBuilder().Global("os", "system").Text("echo").Raw(0x85).Op("R.").Bytes)));
        Refused.With("'torch.ComplexFloatStorage'", () => TorchStateFile.Read(Zip(Tensor("0", "ComplexFloatStorage"), ("0", Storage))));
        Refused.With("'../../etc/passwd'", () => TorchStateFile.Read(Zip(Tensor("../../etc/passwd", "FloatStorage"), ("0", Storage))));
        Refused.With("no tensors", () => TorchStateFile.Read(Zip(new PickleBuilder().Op("}.").Bytes)));
        Refused.With("data.pkl", () => TorchStateFile.Read(Zip(null, ("0", Storage))));
        Refused.With("does not start like a pickle", () => TorchStateFile.Read(_folder.Write("text.pt", "not a checkpoint"u8)));
        Refused.With("unpacks to more", () => TorchStateFile.Read(Zip(Tensor("0", "FloatStorage"), ("0", new byte[10_000_000]))));
    }

    [Fact]
    public void No_file_makes_more_memory_than_it_is_worth()
    {
        // 2,000 transposed views of one 4 MB storage would be 8 GB if each were copied.
        byte[] storage = new byte[4 << 20];
        new Random(1).NextBytes(storage);
        var pickle = new PickleBuilder().Op("}(");
        for (int i = 0; i < 2000; i++)
            pickle.Text($"w{i}").Tensor("0", 1 << 20, 0, [1024, 1024], [1, 1024]);
        Refused.With("more memory", () => TorchStateFile.Read(Zip(pickle.Op("u.").Bytes, ("0", storage))));
    }

    private static void Free(Dictionary<string, Tensor> tensors)
    {
        foreach (Tensor tensor in tensors.Values)
            tensor.Dispose();
    }

    private string Zip(byte[]? pickle, params (string Key, byte[] Bytes)[] storages)
    {
        string path = _folder.File("file.pt");
        using var zip = new ZipArchive(new FileStream(path, FileMode.Create), ZipArchiveMode.Create);
        (string, byte[])[] entries = [.. pickle is null ? [] : ((string, byte[])[])[("data.pkl", pickle)], ("version", "3\n"u8.ToArray()),
            .. storages.Select(s => ("data/" + s.Key, s.Bytes))];
        foreach ((string name, byte[] bytes) in entries)
        {
            using Stream stream = zip.CreateEntry("archive/" + name, CompressionLevel.Optimal).Open();
            stream.Write(bytes);
        }

        return path;
    }
}
