using System.IO.Compression;
using FewStep.Checkpoints;

namespace FewStep.Tests.Checkpoints;

public sealed class TorchScriptFileTests : FolderTests
{
    private static readonly byte[] Storage = [.. Enumerable.Range(0, 6).SelectMany(i => BitConverter.GetBytes((float)i))];

    [Fact]
    public void Tensors_of_modules_have_the_names_of_their_state_dictionary()
    {
        var pickle = Module(new(), "Net");
        pickle.Text("training").Raw(0x89).Text("stride").Global("torch.jit._pickle", "build_intlist").Op("](K\u0001K\u0002e").Raw(0x85)
            .Op("R");
        pickle.Text("scale").Tensor("0", 6, 5, [], []).Text("layers");
        Module(pickle, "torch.nn.modules.container.Sequential").Text("conv");
        Module(pickle, "___torch_mangle_7.Conv").Text("weight").Tensor("0", 6, 0, [2, 3], [3, 1]).Op("ub").Op("ub").Op("ub.");
        string path = Zip(pickle.Bytes);
        Assert.True(TorchScriptFile.Is(path));
        var tensors = TorchScriptFile.Read(path);
        Assert.Equal(["scale", "layers.conv.weight"], tensors.Keys);
        Assert.Equal(5, tensors["scale"].item<float>());
        Assert.Equal([0, 1, 2, 3, 4, 5], tensors["layers.conv.weight"].data<float>().ToArray());
        foreach (var tensor in tensors.Values)
            tensor.Dispose();
        Assert.False(TorchScriptFile.Is(_folder.Write("text.pt", "no archive"u8)));
        Assert.False(TorchScriptFile.Is(_folder.Write("short.pt", 1)));
    }

    [Fact]
    public void Hostile_archives_are_refused()
    {
        Refused.With("'os.system'",
            () => TorchScriptFile.Read(Zip(new PickleBuilder().Global("os", "system").Text("echo").Raw(0x85).Op("R.").Bytes)));
        Refused.With("'__torch__x.Net'",
            () => TorchScriptFile.Read(Zip(new PickleBuilder().Global("__torch__x", "Net").Op(")").Raw(0x81).Op(".").Bytes)));
        Refused.With("no tensors", () => TorchScriptFile.Read(Zip(Module(new(), "Net").Op("ub.").Bytes)));
        Refused.With(
            "missing", () => TorchScriptFile.Read(Zip(Module(new(), "Net").Text("w").Tensor("1", 6, 0, [6], [1]).Op("ub.").Bytes)));
        Refused.With(
            "does not fit", () => TorchScriptFile.Read(Zip(Module(new(), "Net").Text("w").Tensor("0", 6, 1, [6], [1]).Op("ub.").Bytes)));

        // Each module holds the one before twice: 2^60 parts in a few hundred bytes.
        var bomb = Module(new(), "Net").Op("ub");
        for (int i = 0; i < 25; i++)
        {
            bomb.Raw((byte)'q', (byte)i).Op("0");
            Module(bomb, "Net").Text("a").Raw((byte)'h', (byte)i).Text("b").Raw((byte)'h', (byte)i).Op("ub");
        }

        Refused.With("without end", () => TorchScriptFile.Read(Zip(bomb.Op(".").Bytes)));
        var deep = new PickleBuilder();
        for (int i = 0; i < 40; i++)
            Module(deep, "Net").Text("m");
        Refused.With(
            "more than 32 deep", () => TorchScriptFile.Read(Zip(deep.Op("N").Op(string.Concat(Enumerable.Repeat("ub", 40)) + ".").Bytes)));

        // A long name recalled at every level: 200 KB that would be gigabytes of names.
        var names = new PickleBuilder().Text(new string('a', 100_000)).Op("q\u00c80").Text(new string('b', 100_000)).Op("q\u00c90")
            .Tensor("0", 6, 0, [6], [1]).Op("q\00");
        for (int i = 0; i < 15; i++)
        {
            Module(names, "Net").Raw((byte)'h', 0xc8, (byte)'h', (byte)i, (byte)'h', 0xc9, (byte)'h', (byte)i).Op("ub")
                .Raw((byte)'q', (byte)(i + 1)).Op("0");
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        Refused.With("names of more than 256", () => TorchScriptFile.Read(Zip(names.Op("h\u000f.").Bytes)));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 << 20);
        byte[] whole = File.ReadAllBytes(Zip(Module(new(), "Net").Text("w").Tensor("0", 6, 0, [6], [1]).Op("ub.").Bytes));
        for (int length = 0; length < whole.Length; length += 7)
            Refused.With("", () => TorchScriptFile.Read(_folder.Write("cut.pt", whole.AsSpan(0, length))));
    }

    // Begins a module whose attributes follow; "ub" ends it.
    private static PickleBuilder Module(PickleBuilder pickle, string name) => pickle.Global("__torch__", name).Op(")").Raw(0x81).Op("}(");

    private string Zip(byte[] pickle)
    {
        string path = _folder.File("file.pt");
        using var zip = new ZipArchive(new FileStream(path, FileMode.Create), ZipArchiveMode.Create);
        foreach (var (name, bytes) in new[]
        {
            ("data.pkl", pickle),
            ("constants.pkl", new PickleBuilder().Op(").").Bytes),
            ("data/0", Storage),
            ("code/net.py", "import os\n"u8.ToArray())
        })
        {
            using Stream stream = zip.CreateEntry("net/" + name, CompressionLevel.NoCompression).Open();
            stream.Write(bytes);
        }

        return path;
    }
}
