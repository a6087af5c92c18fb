using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Denoising;

namespace FewStep.Tests.Data;

public sealed class DownsampledImageNetTests : FolderTests
{
    [Fact]
    public void Batches_are_read_in_the_order_of_their_numbers()
    {
        string folder = Path.GetDirectoryName(Batch("in/train_data_batch_10.npz", 2, 8, 30))!;
        Batch("in/train_data_batch_2.npz", 3, 8, 20);
        Batch("in/val_data.npz", 1, 8, 500);
        using var train = ImageSources.Open(folder);
        Assert.Equal([19, 20, 21, 29, 30], Enumerable.Range(0, train.Count).Select(train.Label));
        Assert.Null(train.ClassNames);
        var image = train.Read(3);
        Assert.Equal(new ImageShape(3, 8, 8), image.Shape);
        byte[] planes = TinyImages.Noise(2 * 192, 30);
        Assert.Equal(planes[(2 * 64) + (3 * 8) + 4], image.Bytes[(((3 * 8) + 4) * 3) + 2]);
        Assert.Equal(TinyImages.Noise(3 * 192, 20)[0], train.Read(0).Bytes[0]); // and back to an earlier batch
        using var val = ImageSources.Open(folder, DataSplit.Test);
        Assert.Equal((1, 499), (val.Count, val.Label(0)));
    }

    [Fact]
    public void A_class_map_brings_labels_into_the_order_of_the_synsets()
    {
        // Numbers 1 to 1000 for synsets in falling order.
        string map = _folder.Write("map.txt",
            System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(1, 1000).Select(n => $"n{9000 - n:D8} {n} name_{n}\n"))));
        using var source = ImageSources.Open(Batch("val_data.npz", 3, 4, 1), null, map);
        Assert.Equal([999, 998, 997], Enumerable.Range(0, 3).Select(source.Label));
        Assert.Equal(("n00008000 name_1000", "n00008999 name_1"), (source.ClassNames![0], source.ClassNames[999]));
        Refused.With("lists 2 classes", () => ImageNetClassMap.Read(_folder.Write("short.txt", "a 1 x\nb 2 y\n"u8.ToArray())));
        Refused.With("Line 2", () => ImageNetClassMap.Read(_folder.Write("twice.txt", "a 1 x\nb 1 y\n"u8.ToArray())));
        Refused.With("Cannot read", () => ImageNetClassMap.Read(_folder.File("none.txt")));
    }

    [Fact]
    public void Files_of_another_form_are_refused()
    {
        void Bad(string part, NpyArray data, NpyArray labels)
        {
            string path = _folder.File("bad.npz");
            NpzFile.Write(path, new Dictionary<string, NpyArray> { ["data"] = data, ["labels"] = labels });
            Refused.With(part, () => ImageSources.Open(path));
        }

        var one = new NpyArray(new[] { 1L }, 1);
        var image = new NpyArray(new byte[48], 1, 48);
        Bad("label is 0", image, new NpyArray(new[] { 0L }, 1));
        Bad("label is 1001", image, new NpyArray(new[] { 1001L }, 1));
        Bad("whole numbers", image, new NpyArray(new[] { 1f }, 1));
        Bad("[1, 47]", new NpyArray(new byte[47], 1, 47), one);
        Bad("[48]", new NpyArray(new byte[48], 48), one);
        Bad("one row a label", image, new NpyArray(new[] { 1L, 2 }, 2));
        NpzFile.Write(_folder.File("none.npz"), new Dictionary<string, NpyArray> { ["data"] = image });
        Refused.With("'labels'", () => ImageSources.Open(_folder.File("none.npz")));
        NpzFile.Write(
            _folder.File("float.npz"), new Dictionary<string, NpyArray> { ["data"] = new(new float[48], 1, 48), ["labels"] = one });
        Refused.With("float.npz: 'data' must be bytes", () => ImageSources.Open(_folder.File("float.npz")).Read(0));
        Batch("mixed/train_data_batch_1.npz", 1, 4, 1);
        Batch("mixed/train_data_batch_2.npz", 1, 8, 1);
        Refused.With("the files before", () => ImageSources.Open(_folder.File("mixed")));
        Batch("only/val_data.npz", 1, 4, 1);
        Refused.With("train_data_batch_1.npz", () => ImageSources.Open(_folder.File("only")));

        // A header that claims a gigabyte in a small file.
        byte[] whole = File.ReadAllBytes(Batch("claims.npz", 1, 4, 1, compress: false));
        int at = whole.AsSpan().IndexOf("(1, 48)"u8);
        "(9, 48)"u8.CopyTo(whole.AsSpan(at));
        Refused.With("shape needs", () => ImageSources.Open(_folder.Write("claims.npz", whole)));
    }

    private string Batch(string name, int count, int side, int label, bool compress = true)
    {
        string path = _folder.File(name);
        NpzFile.Write(path, new Dictionary<string, NpyArray>
        {
            ["data"] = new(TinyImages.Noise(count * 3 * side * side, label), count, 3 * side * side),
            ["labels"] = new(Enumerable.Range(label, count).Select(l => (long)l).ToArray(), count),
            ["mean"] = new(new double[3 * side * side], 3 * side * side),
        }, compress);
        return path;
    }
}
