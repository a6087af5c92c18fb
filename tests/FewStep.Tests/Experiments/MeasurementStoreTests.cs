using FewStep.Experiments;
using FewStep.Metrics;

namespace FewStep.Tests.Experiments;

public sealed class MeasurementStoreTests : FolderTests
{
    [Fact]
    public void What_is_stored_is_there_after_reopening_and_figures_of_the_same_images_are_joined()
    {
        var store = MeasurementStore.Open(_folder.Root);
        store.Add(Range("a", "fd", 1.5));
        store.Add(Range("a", "kid", 0.25) with { Seconds = 3 });
        store.Add(Range("b", "fd", 2));
        store.LossCurve = "a curve";
        var read = MeasurementStore.Open(_folder.Root);
        Assert.Equal("a curve", read.LossCurve);
        var a = read.Find(Hash("a"))!;
        Assert.Equal(1.5, a.Figures[Hash("fd")].Single().Value);
        Assert.Equal(new MetricValue(0.25, 0.1), a.Figures[Hash("kid")].Single());
        Assert.Equal(5, a.Seconds);
        Assert.Equal(24, a.NetworkEvaluations);
        Assert.Null(read.Find(Hash("c")));
    }

    [Fact]
    public void One_range_more_writes_no_more_than_one_file_of_bounded_size()
    {
        var store = MeasurementStore.Open(_folder.Root);
        store.Add([.. Enumerable.Range(0, 2 * MeasurementStore.RangesOfFile).Select(i => Range($"{i}", "fd", i))]);
        string[] full = [.. new[] { "measurements.json", "measurements.0001.json" }.Select(n => _folder.File(n))];
        Array.ForEach(full, File.Delete);
        store.Add(Range("last", "fd", 1));
        Assert.Equal(["measurements.0002.json"], Directory.GetFiles(_folder.Root).Select(Path.GetFileName));
        store.Add(Range("0", "kid", 0.5), Range($"{MeasurementStore.RangesOfFile}", "kid", 0.25));
        var read = MeasurementStore.Open(_folder.Root);
        Assert.Equal((2 * MeasurementStore.RangesOfFile) + 1, read.Ranges.Count());
        Assert.Equal((2, 1), (read.Find(Hash("0"))!.Figures.Count, read.Find(Hash("1"))!.Figures.Count));
        Assert.Equal(1, read.Find(Hash("last"))!.Figures[Hash("fd")].Single().Value);
    }

    [Fact]
    public void What_comes_last_lies_in_a_small_file_until_that_is_full_and_a_kill_on_the_way_loses_and_doubles_nothing()
    {
        const int small = MeasurementStore.RangesOfNewest;
        string main = _folder.File(MeasurementStore.FileName), newest = _folder.File("measurements.newest.json");
        var store = MeasurementStore.Open(_folder.Root);
        void Add(int from, int to) => Enumerable.Range(from, to - from).ToList().ForEach(i => store.Add(Range($"{i}", "fd", i)));
        void Holds(int count)
        {
            var read = MeasurementStore.Open(_folder.Root);
            Assert.Equal(Enumerable.Range(0, count).Select(i => Hash($"{i}")), read.Ranges.Select(r => r.Key));
            Assert.All(Enumerable.Range(0, count), i => Assert.Equal(i, read.Find(Hash($"{i}"))!.Figures[Hash("fd")].Single().Value));
        }

        Add(0, small);
        Assert.False(File.Exists(newest));
        byte[] before = File.ReadAllBytes(main);
        Add(small, 2 * small);
        Assert.Equal(before, File.ReadAllBytes(main));
        Holds(2 * small);
        byte[] full = File.ReadAllBytes(newest);
        store = MeasurementStore.Open(_folder.Root);
        Add(2 * small, (2 * small) + 1);
        Assert.False(File.Exists(newest));
        File.WriteAllBytes(newest, full); // killed before it was removed
        Holds((2 * small) + 1);
        store = MeasurementStore.Open(_folder.Root);
        Add((2 * small) + 1, (2 * small) + 4);
        Holds((2 * small) + 4);
        store.Add(Range($"{(2 * small) + 2}", "kid", 0.5)); // one of the newest has a figure more
        Assert.False(File.Exists(newest));
        Assert.Equal(2, MeasurementStore.Open(_folder.Root).Find(Hash($"{(2 * small) + 2}"))!.Figures.Count);
        store.Add([.. Enumerable.Range(0, MeasurementStore.RangesOfFile + 7).Select(i => Range($"{i}", "fd", i))]);
        Holds(MeasurementStore.RangesOfFile + 7);
        store.Add();
        Add(MeasurementStore.RangesOfFile + 7, MeasurementStore.RangesOfFile + 100);
        Holds(MeasurementStore.RangesOfFile + 100);
        Assert.Equal(3, Directory.GetFiles(_folder.Root).Length);
    }

    [Theory]
    [InlineData("{\"version\": 2, \"ranges\": []}", "version 2")]
    [InlineData("{\"version\": 1}", "not valid")]
    [InlineData("{\"version\": 1, \"ranges\": [null]}", "null")]
    [InlineData("{\"version\": 1, \"ranges\": [{\"key\": \"00\", \"trial\": \"t\", \"first_seed\": 0, \"images\": 2, "
        + "\"network_evaluations\": 1, \"seconds\": 1, \"figures\": {}}]}", "key 00")]
    public void A_damaged_store_is_refused(string content, string fragment)
    {
        string path = _folder.File(MeasurementStore.FileName);
        File.WriteAllText(path, content);
        var e = Assert.Throws<InvalidInputException>(() => MeasurementStore.Open(_folder.Root));
        Assert.Contains(fragment, e.Message, StringComparison.Ordinal);
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Figures_that_no_metric_gives_are_not_stored()
    {
        var store = MeasurementStore.Open(null);
        Assert.Throws<InvalidInputException>(() => store.Add(Range("a", "fd", double.NaN)));
        Assert.Null(store.Find(Hash("a")));
    }

    private static string Hash(string text) => Sha256.Of(text);

    private static MeasuredRange Range(string key, string metric, double value) =>
        new(Hash(key), "karras, euler, 2 steps", 0, 12, 24, 2,
            new Dictionary<string, IReadOnlyList<MetricValue>> { [Hash(metric)] = [new MetricValue(value, 0.1)] });
}
