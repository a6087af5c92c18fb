using System.Collections.Concurrent;

namespace FewStep.Reliability;

/// <summary>Kills each verb, or the processes that work for it, before each of its renames and at random moments, and goes on.</summary>
internal static class KillCampaign
{
    private const int Together = 2;

    /// <summary>Tries a number of moments, shared out over the verbs; half of them are renames.</summary>
    /// <param name="verb">The only verb; null (default) for all.</param>
    /// <returns>What did not hold.</returns>
    public static IReadOnlyList<string> Run(int moments, string? verb = null)
    {
        using var world = new World();
        var failures = new ConcurrentBag<string>();
        Job[] jobs = [.. world.Jobs.Where(j => verb is null || j.Verb == verb)];
        int verbs = jobs.Length;
        Parallel.For(0, verbs, new ParallelOptions { MaxDegreeOfParallelism = Together }, i =>
        {
            var job = jobs[i];
            foreach (string failure in Try(job, world, (moments / verbs) + (i < moments % verbs ? 1 : 0)))
                failures.Add($"{job.Verb}{failure}");
        });
        return [.. failures];
    }

    private static List<string> Try(Job job, World world, int moments)
    {
        List<string> failures = [];
        if (moments == 0)
            return failures;
        string whole = world.At($"{job.Verb}-whole");
        var watch = Stopwatch.StartNew();
        using var undisturbed = new CommandRun(job.Undivided(whole), ranks: job.Ranks);
        if (undisturbed.Wait() != 0)
            return [$": {undisturbed.Messages}"];
        var (seconds, expected, renames) = (watch.Elapsed.TotalSeconds, job.Fingerprint(whole), undisturbed.Renames);
        int atRenames = Math.Min((moments + 1) / 2, renames), workers = 0;
        for (int i = 0; i < moments; i++)
        {
            string folder = world.At($"{job.Verb}-{i}");
            bool isWorkers = job.WorkerRename > 0 && i % 2 == 0;
            workers += isWorkers ? 1 : 0;
            string moment = isWorkers ? AtWorker(job, folder, job.WorkerRename + (i / 2))
                : i < atRenames ? AtRename(job, folder, 1 + (i * renames / atRenames))
                : AtRandom(job, folder, seconds * new Random(i).NextDouble());
            using var again = new CommandRun(job.Again(folder), ranks: job.Ranks);
            int code = again.Wait();

            // Killed when all was done, a verb may refuse to do it once more.
            if (job.Fingerprint(folder) is var found && found != expected)
                failures.Add($", killed {moment}: {(code == 0 ? $"{found} in place of {expected}" : $"does not go on: {again.Messages}")}");
            else if (Directory.GetFiles(folder, "*.tmp", SearchOption.AllDirectories) is [var rest, ..])
                failures.Add($", killed {moment}: left {Path.GetFileName(rest)}");
        }

        string where = workers == 0 ? $"at {atRenames} of {renames} renames and {moments - atRenames} random moments"
            : $"{workers} times in its workers, and {moments - workers} times itself";
        Console.WriteLine($"{job.Verb}: killed {where}; "
            + $"{moments - failures.Count} ended with the bits of an undisturbed run.");
        return failures;
    }

    private static string AtRename(Job job, string folder, int rename)
    {
        using var killed = new CommandRun(job.Line(folder), rename, job.Ranks);
        killed.Wait();
        return $"at rename {rename}";
    }

    // Each time that a worker is started it dies at this rename, until all is done or the program gives up.
    private static string AtWorker(Job job, string folder, int rename)
    {
        using var run = new CommandRun(job.Line(folder), -rename);
        run.Wait();
        return $"in its workers, at rename {rename} of each";
    }

    private static string AtRandom(Job job, string folder, double seconds)
    {
        var time = TimeSpan.FromSeconds(seconds);
        using var killed = new CommandRun(job.Line(folder), ranks: job.Ranks);
        killed.KillAfter(time);
        return $"after {time.TotalSeconds:F2} s";
    }
}
