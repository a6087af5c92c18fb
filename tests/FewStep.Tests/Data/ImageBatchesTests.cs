using CsCheck;
using FewStep.Data;
using FewStep.Denoising;
using TorchSharp;

namespace FewStep.Tests.Data;

public class ImageBatchesTests
{
    [Fact]
    public void Values_layout_and_labels_are_those_of_the_set()
    {
        byte[] image = [.. Enumerable.Range(0, 2 * 2 * 3).Select(i => (byte)(20 * i))]; // H=2, W=2, C=3
        using var set = new ListImageSet(new ImageShape(3, 2, 2), [image], [5]);
        using var batch = new ImageBatches(set, new ImageBatchOptions { BatchSize = 2 }).Read(0);

        Assert.Equal([2L, 3, 2, 2], batch.Images.shape);
        Assert.Equal(ScalarType.Float32, batch.Images.dtype);
        Assert.Equal([5L, 5], batch.Labels!.data<long>().ToArray());
        for (int c = 0; c < 3; c++)
        {
            for (int y = 0; y < 2; y++)
            {
                for (int x = 0; x < 2; x++)
                    Assert.Equal(image[(y * 2 + x) * 3 + c] / 127.5f - 1f, batch.Images[1, c, y, x].item<float>());
            }
        }
    }

    [Fact]
    public void Every_epoch_shows_every_image_once_in_a_fresh_order()
    {
        using var set = ListImageSet.Numbered(50);
        var batches = new ImageBatches(set, new ImageBatchOptions { BatchSize = 10, Seed = 3 });
        int[][] epochs =
            [.. Enumerable.Range(0, 3).Select(e => Enumerable.Range(0, 5).SelectMany(i => Numbers(batches, 50 * e + 10 * i)).ToArray())];
        Assert.All(epochs, e => Assert.Equal(Enumerable.Range(0, 50), e.Order()));
        Assert.NotEqual(epochs[0], epochs[1]);
        Assert.NotEqual(epochs[1], epochs[2]);
        Assert.NotEqual(epochs[0], [.. Enumerable.Range(0, 50)]);
    }

    [Fact]
    public void What_is_at_a_position_does_not_depend_on_the_way_there()
        => Gen.Select(Gen.Int[1, 40], Gen.Int[1, 30], Gen.Long[0, 1000], Gen.Long, Gen.Bool).Sample((count, size, position, seed, flip) =>
    {
        using var set = ListImageSet.Numbered(count, channels: 2);
        var options = new ImageBatchOptions { BatchSize = size, Seed = seed, Flip = flip };
        var walked = new ImageBatches(set, options);
        using (walked.Read(position + 777))
        {
        }

        using var first = walked.Read(position);
        using var again = new ImageBatches(set, options).Read(position);
        using var single = new ImageBatches(set, options with { BatchSize = 1 }).Read(position + size - 1);
        float[] values = Values(first.Images);
        Assert.Equal(values, Values(again.Images));
        Assert.Equal(first.Labels!.data<long>().ToArray(), again.Labels!.data<long>().ToArray());
        Assert.Equal(values[^12..], Values(single.Images)); // cut into batches otherwise, the same images
        Assert.Equal(position + size, first.Position + first.Count);
    }, iter: 50);

    [Fact]
    public void About_half_of_the_images_are_flipped_and_anew_each_epoch()
    {
        using var set = ListImageSet.Numbered(100, channels: 3, labelled: false);
        var plain = new ImageBatches(set, new ImageBatchOptions { BatchSize = 2000, Seed = 9 });
        var flipping = new ImageBatches(set, new ImageBatchOptions { BatchSize = 2000, Seed = 9, Flip = true });
        using var scope = NewDisposeScope();
        var a = plain.Read(0);
        var b = flipping.Read(0);
        Assert.Null(a.Labels);
        var same = (a.Images == b.Images).flatten(1).all(1);
        var mirrored = (a.Images.flip(3) == b.Images).flatten(1).all(1);
        Assert.Equal(2000, (same | mirrored).sum().item<long>());
        Assert.Equal(0, (same & mirrored).sum().item<long>());

        // Five standard deviations of a binomial(2000, 1/2).
        Assert.InRange(mirrored.sum().item<long>(), 1000 - 112, 1000 + 112);
        var byEpoch = mirrored.view(20, 100).sum(1).data<long>().ToArray();
        Assert.True(byEpoch.Distinct().Count() > 3);
    }

    [Fact]
    public void Nothing_but_the_batch_stays_alive()
    {
        using var set = ListImageSet.Numbered(10);
        var batches = new ImageBatches(set);
        using (batches.Read(0))
        {
        }

        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        for (int i = 0; i < 20; i++)
        {
            using var batch = batches.Read(64 * i);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Fact]
    public void Bad_arguments_are_refused()
    {
        using var set = ListImageSet.Numbered(5);
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageBatches(set, new ImageBatchOptions { BatchSize = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageBatches(set, new ImageBatchOptions { BatchSize = int.MaxValue }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ImageBatches(set).Read(-1));
    }

    private static int[] Numbers(ImageBatches batches, long position)
    {
        using var batch = batches.Read(position);
        return Numbers(batch);
    }

    private static int[] Numbers(ImageBatch batch)
    {
        using var first = batch.Images.select(1, 0).flatten(1).select(1, 0).clone();
        return [.. Values(first).Select(v => (int)MathF.Round((v + 1f) * 127.5f))];
    }

    private static float[] Values(Tensor tensor) => tensor.data<float>().ToArray();
}
