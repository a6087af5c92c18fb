using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Denoising;

namespace FewStep.Tests.Data;

public sealed class NpzImageSetTests : FolderTests
{
    [Fact]
    public void Samples_of_ADM_are_images_with_their_labels()
    {
        byte[] pixels = TinyImages.Noise(3 * 4 * 5 * 3, 1);
        string path = Write(new(pixels, 3, 4, 5, 3), new NpyArray(new long[] { 2, 0, 7 }, 3));
        using var set = ImageSets.Open(path);
        Assert.Equal((3, 8, new ImageShape(3, 4, 5)), (set.Count, set.Classes, set.Shape));
        Assert.Equal([2, 0, 7], Enumerable.Range(0, 3).Select(set.Label));
        byte[] image = new byte[60];
        set.Read(1, image);
        Assert.Equal(pixels[60..120], image);
        using var source = ImageSources.Open(path);
        Assert.Equal(image, source.Read(1).Bytes);
        using var bare = ImageSets.Open(Write(new(pixels, 3, 4, 5, 3), null));
        Assert.Equal((0, -1), (bare.Classes, bare.Label(0)));
        Assert.NotEqual(set.Hash, bare.Hash);
    }

    [Fact]
    public void Other_arrays_are_refused()
    {
        Refused("images are uint8", new(new float[60], 1, 4, 5, 3), null);
        Refused("images are uint8", new(new byte[60], 1, 3, 4, 5), null);
        Refused("images are uint8", new(Array.Empty<byte>(), 0, 4, 5, 3), null);
        Refused("labels are whole numbers", new(new byte[60], 1, 4, 5, 3), new NpyArray(new long[] { 1, 2 }, 2));
        Refused("labels are whole numbers", new(new byte[60], 1, 4, 5, 3), new NpyArray(new long[] { -1 }, 1));
        Refused("labels are whole numbers", new(new byte[60], 1, 4, 5, 3), new NpyArray(new[] { 1f }, 1));
        string path = _folder.File("other.npz");
        NpzFile.Write(path, new Dictionary<string, NpyArray> { ["x"] = new(new byte[1], 1) });
        var refusal = Assert.Throws<InvalidInputException>(() => ImageSets.Open(path));
        Assert.Contains("no array 'arr_0'", refusal.Message, StringComparison.Ordinal);
    }

    private void Refused(string part, NpyArray images, NpyArray? labels)
    {
        string path = Write(images, labels);
        Assert.Contains(part, Assert.Throws<InvalidInputException>(() => ImageSets.Open(path)).Message, StringComparison.Ordinal);
    }

    private string Write(NpyArray images, NpyArray? labels)
    {
        string path = _folder.File($"{Guid.NewGuid():N}.npz");
        var arrays = new Dictionary<string, NpyArray> { ["arr_0"] = images };
        if (labels is not null)
            arrays["arr_1"] = labels;
        NpzFile.Write(path, arrays);
        return path;
    }
}
