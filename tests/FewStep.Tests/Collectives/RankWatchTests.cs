using FewStep.Collectives;

namespace FewStep.Tests.Collectives;

public sealed class RankWatchTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void When_a_rank_ends_the_first_says_so_and_the_others_end(int dead)
    {
        string?[] expected = [$"Rank {dead} has ended without a word", "", ""];
        expected[dead] = null;
        Hears(expected, (watch, rank) =>
        {
            if (rank == dead)
                watch.Dispose(); // as the system closes a killed process's connections
        });
    }

    [Fact]
    public void When_the_first_ends_the_second_says_so() =>
        Hears([null, "Rank 0 has ended without a word", ""], (watch, rank) =>
        {
            if (rank == 0)
                watch.Dispose();
        });

    [Fact]
    public void The_first_says_what_another_failed_of() =>
        Hears(["Rank 2: The disk is full.", "", null], (watch, rank) =>
        {
            if (rank == 2)
                watch.Fail("The disk is full.");
        });

    [Fact]
    public void A_failure_of_all_is_said_by_the_first_itself()
        => Hears([null, null, null], (watch, rank) => watch.Fail("Bad options."), orSilence: true); // where the first is the quickest

    [Fact]
    public void An_end_of_all_is_said_by_none() => Hears([null, null, null], (watch, rank) => watch.Leave());

    // What each rank is told to say: null where nothing happens, "" where it ends in silence.
    private static void Hears(string?[] expected, Action<RankWatch, int> act, bool orSilence = false)
    {
        string?[] heard = ThreadRanks.Run(expected.Length, own =>
        {
            var said = new TaskCompletionSource<string?>();
            using var watch = RankWatch.Start(own, line => said.TrySetResult(line ?? ""));
            Assert.Empty(watch.Unwatched);
            own.Any(false);
            act(watch, own.Rank);
            if (expected[own.Rank] is not null)
                Assert.True(said.Task.Wait(TimeSpan.FromSeconds(20)), $"rank {own.Rank} hears nothing");
            else if (expected.All(e => e is null))
                said.Task.Wait(TimeSpan.FromSeconds(1.2));
            own.Any(false); // all have heard what there is before connections are closed
            return said.Task.IsCompleted ? said.Task.Result : null;
        });
        foreach (var (line, beginning) in heard.Zip(expected))
        {
            if (orSilence && line is "")
                continue;
            Assert.Equal(beginning is null, line is null);
            Assert.Equal(beginning is "", line is "");
            Assert.StartsWith(beginning ?? "", line ?? "", StringComparison.Ordinal);
        }
    }
}
