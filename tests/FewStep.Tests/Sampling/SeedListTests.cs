using CsCheck;
using FewStep.Sampling;

namespace FewStep.Tests.Sampling;

public class SeedListTests
{
    [Theory]
    [InlineData("5", new long[] { 5 })]
    [InlineData("0-3", new long[] { 0, 1, 2, 3 })]
    [InlineData("0-2,20-21, 7", new long[] { 0, 1, 2, 20, 21, 7 })]
    [InlineData("4294967295", new long[] { 4294967295 })]
    public void Lists_are_read(string text, long[] seeds)
    {
        var range = SeedList.Parse(text);
        Assert.Equal(seeds, range);
        Assert.Equal(seeds, Enumerable.Range(0, range.Count).Select(i => range[i]));
        Assert.Equal(text.Replace(" ", "", StringComparison.Ordinal), range.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(",")]
    [InlineData("1,")]
    [InlineData("-1")]
    [InlineData("1-2-3")]
    [InlineData("a-b")]
    [InlineData("1.5")]
    [InlineData("+3")]
    [InlineData("9-0")]
    [InlineData("4294967296")]
    [InlineData("99999999999999999999")]
    [InlineData("0-9,5")]
    [InlineData("3,3")]
    [InlineData("0-10000000")]
    [InlineData("0-4294967295")]
    [InlineData("0\n-x")]
    public void Anything_else_gets_one_line(string text)
    {
        var e = Assert.Throws<InvalidInputException>(() => SeedList.Parse(text));
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Ten_million_seeds_cost_no_memory_and_are_the_limit()
    {
        Assert.Equal(SeedList.MaximumCount, SeedList.Parse("0-9999999").Count);
        Assert.Equal(9_999_999, SeedList.Of(SeedList.MaximumCount)[^1]);
        Assert.Throws<InvalidInputException>(() => SeedList.Of(SeedList.MaximumCount + 1));
        Assert.Throws<InvalidInputException>(() => SeedList.Of(0));
        Assert.Throws<InvalidInputException>(() => SeedList.Of(2, Latents.MaximumSeed));
        Assert.Throws<InvalidInputException>(() => SeedList.Parse(new string('1', 100_001)));
        Assert.Throws<ArgumentOutOfRangeException>(() => SeedList.Of(2)[2]);
    }

    [Fact]
    public void Text_round_trips() => Gen.Select(Gen.Int[0, 50], Gen.Int[0, 50]).Array[1, 6].Sample(parts =>
    {
        long next = 0;
        var ranges = parts.Select(p =>
        {
            (long First, long Last) r = (next + p.Item1, next + p.Item1 + p.Item2);
            next = r.Last + 1;
            return r;
        }).ToArray();
        var range = SeedList.Parse(string.Join(",", ranges.Select(r => $"{r.First}-{r.Last}")));
        return range.SequenceEqual(SeedList.Parse(range.ToString())) && range.Count == ranges.Sum(r => r.Last - r.First + 1);
    });
}
