namespace FewStep.Reliability;

/// <summary>Kills each verb before each of its renames and at random moments, and goes on.</summary>
internal sealed class KillCampaign
{
    private readonly Random _random = new(1);

    /// <summary>Tries a number of moments, shared out over the verbs; half of them are renames.</summary>
    /// <returns>What did not hold.</returns>
    public IReadOnlyList<string> Run(int moments)
    {
        using var world = new World();
        var failures = new List<string>();
        int number = 0, left = world.Jobs.Count;
        foreach (var job in world.Jobs)
        {
            int share = (moments - number + left - 1) / left--;
            string whole = world.At($"{job.Verb}-whole");
            var watch = Stopwatch.StartNew();
            using var undisturbed = new CommandRun(job.Line(whole));
            if (undisturbed.Wait() != 0)
            {
                failures.Add($"{job.Verb}: {undisturbed.Messages}");
                continue;
            }

            var (seconds, expected, renames) = (watch.Elapsed.TotalSeconds, job.Fingerprint(whole), undisturbed.Renames);
            int atRenames = Math.Min((share + 1) / 2, renames), failed = failures.Count;
            for (int i = 0; i < share; i++)
            {
                string folder = world.At($"{job.Verb}-{number++}");
                string moment = i < atRenames ? AtRename(job, folder, 1 + (i * renames / atRenames))
                    : AtRandom(job, folder, seconds);
                using var again = new CommandRun(job.Again(folder));
                int code = again.Wait();
                if (code != 0)
                    failures.Add($"{job.Verb}, killed {moment}: does not go on: {again.Messages}");
                else if (job.Fingerprint(folder) is var found && found != expected)
                    failures.Add($"{job.Verb}, killed {moment}: {found} in place of {expected}");
                else if (Directory.GetFiles(folder, "*.tmp", SearchOption.AllDirectories) is [var rest, ..])
                    failures.Add($"{job.Verb}, killed {moment}: left {Path.GetFileName(rest)}");
            }

            Console.WriteLine($"{job.Verb}: killed at {atRenames} of {renames} renames and {share - atRenames} random moments; "
                + $"{share - (failures.Count - failed)} ended with the bits of an undisturbed run.");
        }

        return failures;
    }

    private static string AtRename(Job job, string folder, int rename)
    {
        using var killed = new CommandRun(job.Line(folder), rename);
        killed.Wait();
        return $"at rename {rename}";
    }

    private string AtRandom(Job job, string folder, double seconds)
    {
        var time = TimeSpan.FromSeconds(seconds * _random.NextDouble());
        using var killed = new CommandRun(job.Line(folder));
        killed.KillAfter(time);
        return $"after {time.TotalSeconds:F2} s";
    }
}
