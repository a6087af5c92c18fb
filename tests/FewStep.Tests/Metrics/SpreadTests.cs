using CsCheck;
using FewStep.Metrics;
using FewStep.Sampling;

namespace FewStep.Tests.Metrics;

public sealed class SpreadTests
{
    [Fact]
    public void The_spread_is_the_sample_deviation_and_unknown_for_one_range()
    {
        var spread = SeedRangeSpread.Of([2, 4, 9]);
        Assert.Equal(5, spread.Mean);
        Assert.Equal(Math.Sqrt(13), spread.StandardDeviation!.Value, 1e-12);
        Assert.Equal("5 ± 3.606", spread.ToString());
        Assert.Null(SeedRangeSpread.Of([3]).StandardDeviation);
        Assert.Throws<ArgumentException>(() => SeedRangeSpread.Of([]));
        Assert.Throws<ArgumentException>(() => SeedRangeSpread.Of([1, double.NaN]));
    }

    [Fact]
    public void Consecutive_ranges_are_disjoint_and_their_batches_cover_them()
    {
        Gen.Select(Gen.Long[0, 1000], Gen.Int[1, 50], Gen.Int[1, 5], Gen.Int[1, 60]).Sample((first, count, ranges, batch) =>
        {
            var seeds = SeedRange.Consecutive(first, count, ranges).SelectMany(r => r.Batches(batch)).ToList();
            Assert.All(seeds, s => Assert.InRange(s.Length, 1, batch));
            Assert.Equal(Enumerable.Range(0, count * ranges).Select(i => first + i), seeds.SelectMany(s => s));
        }, iter: 100);
        Assert.Throws<ArgumentOutOfRangeException>(() => new SeedRange(-1, 5));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SeedRange(0, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new SeedRange(long.MaxValue - 3, 4));
    }

    [Fact]
    public void Paired_distance_averages_each_images_own_distance()
    {
        using var scope = NewDisposeScope();
        var teacher = zeros(3, 1, 2, 2);
        var samples = tensor(new float[] { 3, 0, 0, 4, 1, 1, 1, 1, 0, 0, 0, 0 }).reshape(3, 1, 2, 2); // distances 5, 2, 0
        var distance = new PairedDistance();
        Assert.Equal(0, distance.MeanRootMeanSquare);
        distance.Add(samples.narrow(0, 0, 1), teacher.narrow(0, 0, 1));
        distance.Add(samples.narrow(0, 1, 2), teacher.narrow(0, 1, 2));
        Assert.Equal(3, distance.Images);
        Assert.Equal(7 / 6.0, distance.MeanRootMeanSquare, 1e-12);
    }

    [Fact]
    public void Unpaired_or_diverged_images_are_refused()
    {
        using var scope = NewDisposeScope();
        var distance = new PairedDistance();
        Assert.Throws<ArgumentException>(() => distance.Add(zeros(2, 1, 2, 2), zeros(1, 1, 2, 2)));
        Assert.Throws<InvalidInputException>(() => distance.Add(full([1, 1, 2, 2], float.NaN), zeros(1, 1, 2, 2)));
        Assert.Equal(0, distance.Images);
    }

    [Fact]
    public void Paired_ranges_have_students_two_sided_interval()
    {
        var paired = PairedRanges.Compare([10, 20, 30], [11, 23, 35])!; // differences 1, 3, 5
        Assert.Equal((3, 3), (paired.Pairs, paired.Mean));
        Assert.Equal(4.302652729696142 * 2 / Math.Sqrt(3), paired.HalfWidth!.Value, 1e-9); // t of 2 degrees at 97.5 %
        Assert.Equal((1, -2.0, null),
            (PairedRanges.Compare([5], [3])!.Pairs, PairedRanges.Compare([5], [3])!.Mean, PairedRanges.Compare([5], [3])!.HalfWidth));
        Assert.Null(PairedRanges.Compare([], []));
        Assert.Throws<ArgumentException>(() => PairedRanges.Compare([1], [1, 2]));
        // The interval holds the true difference 19 times in 20.
        var random = new Random(4);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        int held = Enumerable.Range(0, 20_000).Count(_ =>
        {
            double[] shared = [Normal(), Normal(), Normal(), Normal()];
            var p = PairedRanges.Compare(shared, [.. shared.Select(s => s + 0.3 + Normal())])!;
            return Math.Abs(p.Mean - 0.3) <= p.HalfWidth;
        });
        Assert.InRange(held / 20_000.0, 0.945, 0.955);
    }
}
