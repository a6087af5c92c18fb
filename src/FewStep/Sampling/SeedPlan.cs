namespace FewStep.Sampling;

/// <summary>Which image seeds belong to what, so that nothing is judged on latents that it was found, tuned or chosen by. The parts follow
/// each other, each up to the next, so none overlap.</summary>
internal static class SeedPlan
{
    /// <summary>Seeds that people sample and experiments measure begin at 0 and end here.</summary>
    public const long LastEvaluated = FirstTuned - 1;

    /// <summary>The first seed whose latents tuning learns from.</summary>
    public const long FirstTuned = 0x8000_0000;

    public const long FirstSearched = 4_000_000_000;

    /// <summary>The first seed that tuning is held out from, to know when to stop.</summary>
    public const long FirstHeldOut = 0xF000_0000;

    /// <summary>The first seed that candidates of the search over tunings are judged by.</summary>
    public const long FirstCandidate = 0xF400_0000;

    /// <summary>The first seed that rounds of an alternation are judged by.</summary>
    public const long FirstJudged = 0xF800_0000;

    /// <summary>Seeds that the searches of one run have.</summary>
    public const int SearchedInARun = 10_000;

    /// <summary>The first seed of a model's own samples that stand for the images that it was trained on.</summary>
    public const long FirstOwn = 0xFC00_0000;

    private const long OwnRuns = 6_700; // as many as there is room for

    private const long SearchRuns = 2_600; // as many as there is room for, and 540,000 latents for the last

    /// <summary>Seeds of training latents: successive, so that every class comes as often as any other.</summary>
    public static long[] Tuned(long position, int count)
    {
        // Positions are drawn among more seeds than there are, so as to begin where they did before searches had seeds of their own.
        const long drawn = FirstHeldOut - FirstTuned, there = FirstSearched - FirstTuned;
        return [.. Enumerable.Range(0, count).Select(k => FirstTuned + ((position + k) % drawn % there))];
    }

    /// <summary>The first seed of a run's searches, which take the ones after it as well.</summary>
    public static long Searched(long seed) => FirstSearched + (Math.Abs(seed % SearchRuns) * SearchedInARun);

    /// <summary>The first seed of a run's own samples, which takes as many as its searches do.</summary>
    public static long Own(long seed) => FirstOwn + (Math.Abs(seed % OwnRuns) * SearchedInARun);

    /// <summary>Seeds of held-out latents, and of the noise of held-out images.</summary>
    public static long[] HeldOut(long position, int count) =>
        [.. Enumerable.Range(0, count).Select(k => FirstHeldOut + ((position + k) % (FirstCandidate - FirstHeldOut)))];

    public static SeedList Candidates(int count) => SeedList.Of(count, FirstCandidate);
    public static SeedList Judged(int count) => SeedList.Of(count, FirstJudged);
}
