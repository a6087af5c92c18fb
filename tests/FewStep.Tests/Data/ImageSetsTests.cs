using FewStep.Data;
using FewStep.Denoising;

namespace FewStep.Tests.Data;

public sealed class ImageSetsTests : FolderTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")]
    [InlineData("train-images-idx3-ubyte", "train-labels-idx1-ubyte")]
    [InlineData("train-images.idx3-ubyte", "train-labels.idx1-ubyte")]
    public void Idx_files_are_written_and_opened_with_their_labels(string images, string labels)
    {
        using var set = ListImageSet.Numbered(20, height: 4, width: 5);
        Assert.Equal(_folder.File(labels), IdxWriter.Write(_folder.File(images), set, cancellation: Stop));
        foreach (string path in new[] { _folder.File(images), _folder.Root })
        {
            using var opened = ImageSets.Open(path, cancellation: Stop);
            AssertSame(set, opened);
        }
    }

    [Fact]
    public void Writing_idx_files_is_repeatable()
    {
        using var set = ListImageSet.Numbered(20);
        IdxWriter.Write(_folder.File("a/train-images-idx3-ubyte.gz"), set, cancellation: Stop);
        IdxWriter.Write(_folder.File("b/train-images-idx3-ubyte.gz"), set, cancellation: Stop);
        Assert.Equal(File.ReadAllBytes(_folder.File("a/train-images-idx3-ubyte.gz")),
            File.ReadAllBytes(_folder.File("b/train-images-idx3-ubyte.gz")));
    }

    [Fact]
    public void Idx_files_without_labels_have_none()
    {
        using var set = ListImageSet.Numbered(3, labelled: false);
        Assert.Null(IdxWriter.Write(_folder.File("pictures.gz"), set, cancellation: Stop));
        using var opened = ImageSets.Open(_folder.File("pictures.gz"), cancellation: Stop);
        AssertSame(set, opened);
    }

    [Fact]
    public void What_idx_cannot_hold_is_refused_and_leaves_no_file()
    {
        string target = _folder.File("train-images-idx3-ubyte.gz");
        using var colour = ListImageSet.Numbered(3, channels: 3);
        using var manyClasses = new ListImageSet(new ImageShape(1, 1, 1), [[1]], [256]);
        using var labelled = ListImageSet.Numbered(3);
        using var broken = ListImageSet.Numbered(3, broken: 2);
        Assert.Contains("gray", Assert.Throws<InvalidInputException>(() => IdxWriter.Write(target, colour, cancellation: Stop)).Message,
            StringComparison.Ordinal);
        Assert.Contains("256", Assert.Throws<InvalidInputException>(() => IdxWriter.Write(target, manyClasses, cancellation: Stop)).Message,
            StringComparison.Ordinal);
        Assert.Throws<InvalidInputException>(() => IdxWriter.Write(_folder.File("pictures.gz"), labelled, cancellation: Stop));
        Assert.Throws<InvalidInputException>(() => IdxWriter.Write(target, broken, cancellation: Stop));
        Assert.Throws<OperationCanceledException>(() => IdxWriter.Write(target, labelled, cancellation: new CancellationToken(true)));
        Assert.Empty(Directory.GetFiles(_folder.Root));
    }

    [Fact]
    public void Splits_of_idx_folders_are_found()
    {
        using var train = ListImageSet.Numbered(9);
        using var test = ListImageSet.Numbered(4);
        IdxWriter.Write(_folder.File("train-images-idx3-ubyte.gz"), train, cancellation: Stop);
        Assert.Contains("no test split", Refusal(_folder.Root, DataSplit.Test), StringComparison.Ordinal);
        IdxWriter.Write(_folder.File("t10k-images-idx3-ubyte.gz"), test, cancellation: Stop);
        Assert.Equal([9, 9, 4], new[] { (DataSplit?)null, DataSplit.Train, DataSplit.Test }.Select(s => Count(_folder.Root, s)));
    }

    [Fact]
    public void Splits_of_image_folders_are_found()
    {
        _folder.Write("train/a.png", TinyImages.Gray(2, 0));
        Assert.Equal(1, Count(_folder.Root, null)); // alone it is an ordinary sub-folder
        _folder.Write("train/b.png", TinyImages.Gray(2, 0));
        _folder.Write("val/a.png", TinyImages.Gray(2, 0));
        Assert.Equal([2, 2, 1], new[] { (DataSplit?)null, DataSplit.Train, DataSplit.Test }.Select(s => Count(_folder.Root, s)));
    }

    [Fact]
    public void Zips_and_folders_are_opened_by_content()
    {
        string zip = _folder.Write("x.dat", TinyImages.Zip(("a.png", TinyImages.Gray(2, 0)), ("b.png", TinyImages.Gray(2, 1))));
        _folder.Write("pictures/a.png", TinyImages.Gray(2, 0));
        Assert.Equal(2, Count(zip, null));
        Assert.Equal(1, Count(_folder.File("pictures"), null));
        Assert.Contains("no test split", Refusal(zip, DataSplit.Test), StringComparison.Ordinal);
        Assert.Contains("no training split", Refusal(_folder.File("pictures"), DataSplit.Train), StringComparison.Ordinal);
    }

    [Fact]
    public void Anything_else_is_refused_in_one_line_that_lists_what_is_accepted()
    {
        foreach (string path in new[]
        { _folder.File("nothing"), _folder.Write("text.txt", "hello"u8.ToArray()), _folder.Write("short", [1]) })
        {
            string message = Refusal(path, null);
            Assert.All(
                new[] { Path.GetFileName(path), "zip", "folder", "idx" }, part => Assert.Contains(part, message, StringComparison.Ordinal));
            Assert.DoesNotContain('\n', message);
        }
    }

    private static int Count(string path, DataSplit? split)
    {
        using var set = ImageSets.Open(path, split, cancellation: Stop);
        return set.Count;
    }

    private static string Refusal(string path, DataSplit? split)
        => Assert.Throws<InvalidInputException>(() => ImageSets.Open(path, split, cancellation: Stop)).Message;

    private static void AssertSame(ListImageSet expected, IImageSet found)
    {
        Assert.Equal((expected.Count, expected.Classes, expected.Shape), (found.Count, found.Classes, found.Shape));
        byte[] a = new byte[expected.Shape.Dimension], b = new byte[expected.Shape.Dimension];
        for (int i = 0; i < expected.Count; i++)
        {
            expected.Read(i, a);
            found.Read(i, b);
            Assert.Equal(a, b);
            Assert.Equal(expected.Label(i), found.Label(i));
        }
    }
}
