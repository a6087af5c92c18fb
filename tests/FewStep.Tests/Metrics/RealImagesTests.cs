using CsCheck;
using FewStep.Data;
using FewStep.Denoising;
using FewStep.Metrics;
using TorchSharp;

namespace FewStep.Tests.Metrics;

public sealed class RealImagesTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Real_images_are_measured_as_they_are_and_leave_no_tensors_behind()
    {
        using var images = new StripedImages(30, 1);
        var tensors = new ImageTensors(images);
        int[] all = [.. Enumerable.Range(0, 30)];
        var expected = tensors.Read(all);
        var seen = new List<(int, int)>();
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        tensors.ForEach(all, 13, "images", (first, batch) =>
        {
            using var scope = NewDisposeScope();
            seen.Add((first, batch.Count));
            Assert.True(batch.Pixels.Equals(expected.narrow(0, first, batch.Count)));
            using var part = batch.Part(2, 2);
            var network = new RowFeatures();
            Assert.True(part.Features(network).Equals(batch.Features(network).narrow(0, 2, 2)));
            Assert.True(part.Pixels.Equals(expected.narrow(0, first + 2, 2)));
            Assert.Equal(1, network.Calls);
        }, null, TestContext.Current.CancellationToken);
        Assert.Equal([(0, 13), (13, 13), (26, 4)], seen);
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Subsets_of_real_images_have_the_classes_of_as_many_seeds()
    {
        Gen.Select(Gen.Int[2, 12], Gen.Int[1, 4], Gen.Int[1, 5], Gen.Int[0, 99]).Sample((size, most, classes, seed) =>
        {
            using var images = new StripedImages(60, 1, classes: classes);
            var subsets = RealSubsets.Choose(images, size, most, seed);
            Assert.True(subsets.Balanced);
            Assert.Equal(most, subsets.Indices.Count);
            Assert.Equal(most * size, subsets.Indices.SelectMany(i => i).Distinct().Count());
            for (int s = 0; s < most; s++)
            {
                Assert.Equal(
                    Enumerable.Range(s * size, size).Select(i => i % classes).Order(),
                    subsets.Indices[s].Select(images.Label).Order());
            }
        });
        var rare = new FewStep.Tests.Data.ListImageSet(
            new ImageShape(1, 8, 8), [.. Enumerable.Repeat(new byte[64], 20)], [.. Enumerable.Range(0, 20).Select(i => i < 19 ? 0 : 1)]);
        Assert.False(RealSubsets.Choose(rare, 4, 3, 0).Balanced);
        Assert.Equal(3, RealSubsets.Choose(rare, 4, 3, 0).Indices.Count);
        Assert.True(RealSubsets.Choose(rare, 2, 3, 0) is { Balanced: true, Indices.Count: 1 }); // fewer, but such as compare
    }

    [Fact]
    public void Every_byte_survives_the_pixel_scale_and_values_outside_are_clipped()
    {
        var bytes = arange(256, dtype: ScalarType.Byte);
        var x = PixelScale.FromBytes(bytes);
        Assert.Equal((-1, 1), (x[0].ToDouble(), x[255].ToDouble()));
        Assert.True(PixelScale.RoundTrip(x).Equals(x));
        Assert.True(PixelScale.RoundTrip(tensor(new float[] { -7, 1.01f, 1e30f })).Equals(tensor(new float[] { -1, 1, 1 })));
        Gen.Float[-1, 1].Sample(v =>
        {
            using var scope = NewDisposeScope();
            Assert.InRange(Math.Abs(PixelScale.RoundTrip(tensor(new[] { v }))[0].ToDouble() - v), 0, 0.5001 / 127.5);
        }, iter: 100, threads: 1);
        float[] halves = [.. Enumerable.Range(-3, 261).Select(b => ((b + 0.5f) / 127.5f) - 1)]; // ties go where saved images send them
        float[] saved = [.. halves.Select(v => (Math.Clamp(MathF.Floor((v * 127.5f) + 128f), 0f, 255f) / 127.5f) - 1f)];
        Assert.Equal(saved, PixelScale.RoundTrip(tensor(halves)).data<float>().ToArray());
    }

    [Fact]
    public void Augmentation_moves_whole_images_and_channels_stay_apart()
    {
        using var images = new StripedImages(20, 4, new ImageShape(3, 8, 9));
        var batches = new ImageTensors(images);
        int[] all = [.. Enumerable.Range(0, 20)];
        var plain = batches.Read(all);
        var moved = batches.ReadAugmented(all, 2, true, 9);
        Assert.True(moved.Equals(batches.ReadAugmented(all, 2, true, 9)));
        Assert.True(batches.ReadAugmented(all, 0, false, 9).Equals(plain));
        var seen = new HashSet<(int, int, bool)>();
        for (int i = 0; i < 20; i++)
        {
            var matches = from down in Enumerable.Range(-2, 5)
                          from right in Enumerable.Range(-2, 5)
                          from mirror in new[] { false, true }
                          where Moved(mirror ? plain[i].flip(2) : plain[i], down, right).Equals(moved[i])
                          select (down, right, mirror);
            seen.Add(matches.First());
        }

        Assert.True(seen.Count > 8);
        var bytes = new byte[3 * 8 * 9];
        images.Read(0, bytes);
        Assert.Equal((bytes[(((2 * 9) + 5) * 3) + 1] / 127.5) - 1, plain[0, 1, 2, 5].ToDouble(), 1e-6);
    }

    // An independent account of a shift with repeated borders: replicate, then crop.
    private static Tensor Moved(Tensor image, int down, int right) =>
        nn.functional.pad(image.unsqueeze(0), [2, 2, 2, 2], PaddingModes.Replicate)[0].narrow(1, 2 - down, image.shape[1])
            .narrow(2, 2 - right, image.shape[2]);
}
