using CsCheck;
using FewStep.Data;
using FewStep.Denoising;
using FewStep.Metrics;
using FewStep.Platform;
using TorchSharp;
using static TorchSharp.torch;

namespace FewStep.Tests.Metrics;

public sealed class FrechetEvaluationTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly string _folder = Directory.CreateTempSubdirectory("fewstep-frechet-").FullName;

    public void Dispose()
    {
        _scope.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void Samples_that_are_the_reference_have_distance_zero()
    {
        using var images = new StripedImages(60, 1);
        using var reference = ReferenceStatistics.Measure(images, new Pixels(), batch: 7);
        var evaluation = new FrechetEvaluation(new Pixels(), reference);
        // Within half a grey level: the rounding to 8 bits restores the reference exactly.
        var result = evaluation.Evaluate([new SeedRange(0, 60)], seeds => AsTensor(images, seeds) + 0.49 / 127.5, batch: 11);
        Assert.InRange(result.Spread.Mean, 0, 1e-9);
        Assert.Null(result.Spread.StandardDeviation);
        Assert.Equal("FD (pixels)", result.Metric);
        Assert.Equal((60, 60), (result.SamplesPerRange, result.ReferenceImages));
        Assert.Equal((images.Hash, "pixels-1"), (result.ReferenceHash, result.ExtractorHash));
    }

    [Fact]
    public void A_shift_of_the_mean_feature_is_measured_as_its_square()
    {
        using var images = new StripedImages(40, 1);
        using var reference = ReferenceStatistics.Measure(images, new Pixels(add: 0.5f));
        var result = new FrechetEvaluation(new Pixels(add: 0.25f), reference).Evaluate([new SeedRange(0, 40)], seeds => AsTensor(images, seeds));
        Assert.Equal(4 * 0.25 * 0.25, result.Spread.Mean, 1e-5);
    }

    [Fact]
    public void Each_range_counts_once_and_does_not_depend_on_the_batch()
    {
        using var images = new StripedImages(90, 1);
        using var reference = ReferenceStatistics.Measure(images, new Pixels());
        var evaluation = new FrechetEvaluation(new Pixels(), reference);
        var ranges = SeedRange.Consecutive(0, 30, 3);
        var small = evaluation.Evaluate(ranges, seeds => AsTensor(images, seeds), batch: 4);
        var large = evaluation.Evaluate(ranges, seeds => AsTensor(images, seeds), batch: 1000);
        Assert.Equal(3, small.Spread.Values.Count);
        Assert.True(small.Spread.StandardDeviation > 0);
        Assert.Equal(small.Spread.Values, large.Spread.Values, (a, b) => Math.Abs(a - b) < 1e-9);
    }

    [Fact]
    public void The_floor_uses_disjoint_subsets_and_is_zero_for_the_whole_reference()
    {
        using var images = new StripedImages(80, 1);
        using var reference = ReferenceStatistics.Measure(images, new Pixels());
        var evaluation = new FrechetEvaluation(new Pixels(), reference);
        Assert.InRange(evaluation.Floor(images, RealSubsets.Choose(images, 80, 1, 0)).Spread.Mean, 0, 1e-9);
        var floor = evaluation.Floor(images, RealSubsets.Choose(images, 20, 4, 3));
        Assert.Equal(floor.Spread.Values, evaluation.Floor(images, RealSubsets.Choose(images, 20, 4, 3)).Spread.Values);
        Assert.Equal(4, floor.Spread.Values.Distinct().Count());
        Assert.Equal(2, RealSubsets.Choose(images, 30, 3, 0).Indices.Count);
        Assert.Empty(RealSubsets.Choose(images, 81, 3, 0).Indices);
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
        var rare = new FewStep.Tests.Data.ListImageSet(new ImageShape(1, 8, 8), [.. Enumerable.Repeat(new byte[64], 20)], [.. Enumerable.Range(0, 20).Select(i => i < 19 ? 0 : 1)]);
        Assert.False(RealSubsets.Choose(rare, 4, 3, 0).Balanced);
        Assert.Equal(3, RealSubsets.Choose(rare, 4, 3, 0).Indices.Count);
        Assert.True(RealSubsets.Choose(rare, 2, 3, 0) is { Balanced: true, Indices.Count: 1 }); // fewer, but such as compare
    }

    [Fact]
    public void Reference_statistics_are_kept_in_a_file_and_measured_anew_when_stale()
    {
        string path = Path.Combine(_folder, "statistics.safetensors");
        using var images = new StripedImages(50, 1);
        using var others = new StripedImages(50, 2);
        var extractor = new Pixels();
        using var measured = ReferenceStatistics.LoadOrMeasure(path, images, extractor);
        int calls = extractor.Calls;
        using var loaded = ReferenceStatistics.LoadOrMeasure(path, images, extractor);
        Assert.Equal(calls, extractor.Calls);
        Assert.InRange(FrechetDistance.Between(measured.Statistics, loaded.Statistics), 0, 1e-9);
        using var renewed = ReferenceStatistics.LoadOrMeasure(path, others, extractor);
        Assert.True(extractor.Calls > calls);
        using var kept = ReferenceStatistics.Load(path);
        Assert.Equal(others.Hash, kept.ImageSetHash);

        File.WriteAllText(path, "{}");
        OneLine(() => ReferenceStatistics.LoadOrMeasure(path, images, extractor));
        FewStep.Checkpoints.SafetensorsFile.Write(path, new Dictionary<string, Tensor> { ["mean"] = zeros(4) });
        OneLine(() => ReferenceStatistics.Load(path));
    }

    [Fact]
    public void Misfits_are_refused()
    {
        using var images = new StripedImages(10, 1);
        using var wide = new StripedImages(10, 1, new ImageShape(1, 8, 12));
        using var single = new StripedImages(1, 1);
        using var reference = ReferenceStatistics.Measure(images, new Pixels());
        var evaluation = new FrechetEvaluation(new Pixels(), reference);
        OneLine(() => ReferenceStatistics.Measure(wide, new Pixels()));
        OneLine(() => ReferenceStatistics.Measure(single, new Pixels()));
        OneLine(() => _ = new FrechetEvaluation(new Pixels("pixels-2"), reference));
        OneLine(() => evaluation.Evaluate([new SeedRange(0, 4)], seeds => full(seeds.Length, 1, 8, 8, float.NaN)));
        Assert.Throws<ArgumentException>(() => evaluation.Evaluate([new SeedRange(0, 4)], _ => zeros(3, 1, 8, 8)));
        Assert.Throws<ArgumentException>(() => evaluation.Evaluate([new SeedRange(0, 4), new SeedRange(3, 4)], s => zeros(s.Length, 1, 8, 8)));
        Assert.Throws<ArgumentException>(() => evaluation.Evaluate([], s => zeros(s.Length, 1, 8, 8)));
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
        float[] saved = [.. halves.Select(v => PixelValue.FromByte(PixelValue.ToByte(v)))];
        Assert.Equal(saved, PixelScale.RoundTrip(tensor(halves)).data<float>().ToArray());
    }

    [Fact]
    public void Evaluation_leaves_no_tensors_behind()
    {
        using var images = new StripedImages(30, 1);
        using var reference = ReferenceStatistics.Measure(images, new Pixels());
        var evaluation = new FrechetEvaluation(new Pixels(), reference);
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        evaluation.Evaluate(SeedRange.Consecutive(0, 10, 3), seeds => AsTensor(images, seeds), batch: 3);
        evaluation.Floor(images, RealSubsets.Choose(images, 10, 3, 0));
        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
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
        nn.functional.pad(image.unsqueeze(0), [2, 2, 2, 2], PaddingModes.Replicate)[0].narrow(1, 2 - down, image.shape[1]).narrow(2, 2 - right, image.shape[2]);

    private static Tensor AsTensor(StripedImages images, long[] seeds) => new ImageTensors(images).Read([.. seeds.Select(s => (int)s)]);

    private static void OneLine(Action act) => Assert.DoesNotContain('\n', Assert.Throws<InvalidInputException>(act).Message);

    /// <summary>The mean of each quarter of the rows as features.</summary>
    private sealed class Pixels(string hash = "pixels-1", float add = 0) : IFeatureExtractor
    {
        public int Calls { get; private set; }

        public string Name => "FD (pixels)";

        public int Dimension => 4;

        public ImageShape Shape { get; } = new(1, 8, 8);

        public string Hash => hash;

        public Tensor Extract(Tensor images)
        {
            Calls++;
            return images.reshape(images.shape[0], 4, 16).mean([2]) + add;
        }
    }
}
