using CsCheck;
using FewStep.Sampling;
using FewStep.Tuning;

namespace FewStep.Tests.Sampling;

public sealed class SeedPlanTests
{
    [Fact]
    public void No_seed_belongs_to_two_things()
    {
        long[] firsts = [0, SeedPlan.FirstTuned, SeedPlan.FirstSearched, SeedPlan.FirstHeldOut, SeedPlan.FirstCandidate,
            SeedPlan.FirstJudged, SeedPlan.FirstOwn, Latents.MaximumSeed + 1];
        Assert.Equal(firsts.Order(), firsts);
        Assert.Equal(SeedPlan.FirstTuned - 1, SeedPlan.LastEvaluated);
        void In(int part, IEnumerable<long> seeds) => Assert.All(seeds, s => Assert.InRange(s, firsts[part], firsts[part + 1] - 1));
        Gen.Select(Gen.Long, Gen.Long[0, long.MaxValue / 4], Gen.Int[1, 200]).Sample((seed, position, count) =>
        {
            In(1, TuningSeeds.Training(seed, position, count));
            In(1, SeedPlan.Tuned(position, count));
            In(2, [SeedPlan.Searched(seed), SeedPlan.Searched(seed) + 500_000]);
            In(3, SeedPlan.HeldOut(position, count));
            In(4, SeedPlan.Candidates(count));
            In(5, SeedPlan.Judged(count));
            In(6, [SeedPlan.Own(seed), SeedPlan.Own(seed) + SeedPlan.SearchedInARun - 1]);
        }, iter: 2000);
        In(4, [SeedPlan.Candidates(SeedList.MaximumCount)[^1]]);
        In(5, [SeedPlan.Judged(SeedList.MaximumCount)[^1]]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void Usual_seeds_are_those_of_before(long seed)
    {
        // Tuning took these ones before searches had seeds of their own; runs with the default seed, and all its rounds, keep them.
        foreach (long run in new[] { seed, SeedHash.Derive(seed, 1), SeedHash.Derive(seed, 2), SeedHash.Derive(seed, 3) })
        {
            long start = SeedHash.Derive(run, 1) % 0x7000_0000;
            foreach (long position in new[] { 0L, 1_000_000 })
                Assert.Equal([0x8000_0000 + start + position, 0x8000_0000 + start + position + 1], TuningSeeds.Training(run, position, 2));
        }

        Assert.Equal(4_000_000_000 + (seed * 10_000), SeedPlan.Searched(seed));
        Assert.Equal([0xF000_0003, 0xF000_0004], SeedPlan.HeldOut(3, 2));
        Assert.Equal(0xF400_0000, SeedPlan.Candidates(2)[0]);
        Assert.Equal([0xF800_0000, 0xF800_0001], SeedPlan.Judged(2));
    }
}
