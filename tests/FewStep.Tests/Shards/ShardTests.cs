using FewStep.Shards;

namespace FewStep.Tests.Shards;

public sealed class ShardTests : FolderTests
{
    [Theory]
    [InlineData(1, 40)]
    [InlineData(7, 40)]
    [InlineData(7, 3)]
    public void Every_piece_is_one_shards(int count, int pieces)
    {
        var owned = Enumerable.Range(1, count).SelectMany(i => Shard.Parse($"{i}/{count}").Owned(pieces)).ToList();
        Assert.Equal(Enumerable.Range(0, pieces), owned.Order());
        Assert.All(owned, p => Assert.Single(Enumerable.Range(1, count), i => new Shard(i, count).Owns(p)));
    }

    [Theory]
    [InlineData("0/7")]
    [InlineData("8/7")]
    [InlineData("7")]
    [InlineData("1/2/3")]
    [InlineData("-1/2")]
    [InlineData("1/0")]
    [InlineData("1/1000000")]
    [InlineData("")]
    public void What_is_no_shard_is_refused(string text) => Assert.Throws<InvalidInputException>(() => ShardStage.Parse(text));

    [Fact]
    public void A_stage_is_read_as_it_is_written() => Assert.All(
        [ShardStage.Prepare, ShardStage.Merge, ShardStage.Of(new Shard(3, 7))], s => Assert.Equal(s, ShardStage.Parse(s.ToString())));

    [Fact]
    public void Parts_of_other_runs_or_numbers_and_missing_ones_are_refused_by_name()
    {
        Begin(1, 3, "a");
        Begin(3, 3, "a");
        var parts = Parts.Of(_folder.Root);
        Assert.Equal([1, 3], parts.All.Select(p => p.Shard.Number));
        Assert.Contains("missing 2/3 (not begun), 3/3 (half of it)", Refused(
            () => parts.RequireAll(p => p.Shard.Number == 3 ? "half of it" : null)), StringComparison.Ordinal);
        Assert.Contains("another run", Refused(() => Begin(1, 3, "b")), StringComparison.Ordinal);
        var four = Begin(1, 4, "a");
        Assert.Contains("overlap", Refused(() => Parts.Of(_folder.Root)), StringComparison.Ordinal);
        Directory.Delete(four.Folder, recursive: true);
        Begin(2, 3, "b");
        Assert.Contains("2-of-3 is part of another run", Refused(() => Parts.Of(_folder.Root)), StringComparison.Ordinal);
    }

    [Fact]
    public void Parts_are_removed_at_one_stroke()
    {
        Begin(1, 1, "a");
        Parts.Of(_folder.Root).Remove();
        Assert.Empty(Directory.GetFileSystemEntries(_folder.Root));
        Assert.Contains("holds no parts", Refused(() => Parts.Of(_folder.Root)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"version":1,"run":"x","number":1,"count":1,"command":["sample"]}""")]
    [InlineData("""{"version":2,"number":1,"count":1,"run":"@","command":["sample"]}""")]
    [InlineData("""{"version":1,"number":2,"count":1,"run":"@","command":["sample"]}""")]
    [InlineData("""{"version":1,"number":1,"count":1,"run":"@","command":[null]}""")]
    [InlineData("""{"version":1,"number":1,"count":2,"run":"@","command":["sample"]}""")]
    [InlineData("{")]
    public void A_manifest_that_is_none_is_refused(string text)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder.Root, "parts", "1-of-1")).FullName;
        File.WriteAllText(Path.Combine(folder, "part.json"), text.Replace("@", Sha256.Of("a"), StringComparison.Ordinal));
        Refused(() => Parts.Of(_folder.Root));
    }

    [Fact]
    public void Tensors_of_a_part_are_kept_in_few_files_and_found_again()
    {
        using var scope = NewDisposeScope();
        var part = Begin(1, 1, "a");
        var store = PartTensors.Open(part, "sums");
        for (int i = 0; i < 300; i++)
        {
            store = i % 100 == 99 ? PartTensors.Open(part, "sums") : store;
            store.Add($"key {i}", [KeyValuePair.Create("x", full([3], i, ScalarType.Float64))], i, 0.5);
        }

        Assert.Equal(2, Directory.GetFiles(part.Folder, "sums-*").Length);
        store = PartTensors.Open(part, "sums");
        foreach (int i in new[] { 0, 98, 255, 256, 299 })
        {
            var (tensors, numbers) = store.Find($"key {i}", 2)!.Value;
            Assert.Equal([i, 0.5], numbers);
            Assert.Equal(i, tensors["x"].mean().item<double>());
        }

        Assert.Null(store.Find("key 300", 2));
        Refused(() => store.Find("key 0", 3));
    }

    private Part Begin(int number, int count, string run)
        => Part.Begin(_folder.Root, new Shard(number, count), Sha256.Of(run), ["sample", run]);
    private static string Refused(Action act) => Assert.Throws<InvalidInputException>(act).Message;
}
