namespace FewStep.Reliability;

/// <summary>Two processes in one folder: one is refused, and the other's results are whole.</summary>
internal static class TwoProcesses
{
    /// <returns>What did not hold.</returns>
    public static IReadOnlyList<string> Run()
    {
        using var world = new World();
        var failures = new List<string>();
        foreach (var job in world.Jobs.Where(j => j.Ranks == 1))
        {
            string whole = world.At($"{job.Verb}-whole"), folder = world.At($"{job.Verb}-both");
            using var alone = new CommandRun(job.Line(whole));
            alone.Wait();
            using var first = new CommandRun(job.Line(folder));
            using var second = new CommandRun(job.Line(folder));
            int[] codes = [first.Wait(), second.Wait()];
            string refusal = codes[0] == 2 ? first.Messages : second.Messages;
            if (!codes.Order().SequenceEqual([0, 2]) || !refusal.Contains(" is in use by process ", StringComparison.Ordinal))
                failures.Add($"{job.Verb}: exit codes {string.Join(" and ", codes)}: {refusal}");
            else if (job.Fingerprint(folder) is var found && found != job.Fingerprint(whole))
                failures.Add($"{job.Verb}: {found} in place of {job.Fingerprint(whole)}");
            else
                Console.WriteLine($"{job.Verb}: the second was refused, the first undisturbed.");
        }

        return failures;
    }
}
