using System.Diagnostics;

namespace FewStep.Tests.Fuzzing;

/// <summary>
/// Reads damaged files, each of which must be read or refused in one line: no other failure, no run away in time or memory. The environment
/// variable <c>FEWSTEP_FUZZ</c> makes it that many times as many cases, with other seeds; files that fail are kept in the temporary folder.
/// </summary>
internal static class FuzzRun
{
    private const string Variable = "FEWSTEP_FUZZ";
    private const int MostFailures = 5;

    // Of all that a case makes, freed or not: images and entries of zips may state 64 MiB before they turn out to be shorter, and a
    // configuration may describe a network of some size.
    private const long MostManagedBytes = 256L << 20;

    // Of the whole process, libtorch's tensors too, while other tests run beside this one.
    private const long MostBytes = 2L << 30;

    // Generous, for machines that do other work too; a case takes milliseconds.
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(20);

    // A case that does not end cannot be stopped from within; the process is, so that nobody waits for it.
    private static readonly TimeSpan EndlessTime = TimeSpan.FromMinutes(3);

    /// <summary>Reads damaged files.</summary>
    /// <param name="name">What they are, for messages.</param>
    /// <param name="cases">Number of files, before the factor of the environment variable.</param>
    /// <param name="damaged">Makes the bytes of one.</param>
    /// <param name="path">Where it is written before it is read; a file, in a folder that may hold others.</param>
    /// <param name="read">Reads it.</param>
    public static void Files(string name, int cases, Func<Random, byte[]> damaged, string path, Action read)
    {
        int factor = int.TryParse(
            Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture, out int given) ? given : 1;
        var failures = new Dictionary<string, string>();
        int done = 0, refused = 0;
        long before = PeakMemory(reset: true);
        for (; done < cases * factor && failures.Count < MostFailures; done++)
        {
            byte[] bytes = damaged(new Random(Seed(name, done)));
            File.WriteAllBytes(path, bytes);
            string label = $"{name}, case {done}";
            using var watchdog = new Timer(_ => Environment.FailFast($"{label} ({path}) has not ended after {EndlessTime}."), null,
                EndlessTime, Timeout.InfiniteTimeSpan);
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            var watch = Stopwatch.StartNew();
            try
            {
                read();
            }
            catch (InvalidInputException e)
            {
                refused++;
                if (e.Message.Any(char.IsControl) || e.Message.Length is < 20 or > 600)
                    Keep(failures, name, done, bytes, $"no clear line: {e.Message.ReplaceLineEndings("\\n")}", e.StackTrace);
            }
            catch (Exception e)
            {
                Keep(failures, name, done, bytes, $"{e.GetType().Name}: {e.Message}", e.StackTrace);
            }

            if (watch.Elapsed > MostTime)
                Keep(failures, name, done, bytes, $"took {watch.Elapsed}", null);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            if (allocated > MostManagedBytes)
                Keep(failures, name, done, bytes, $"made {allocated >> 20} MiB of objects from {bytes.Length} bytes", null);
        }

        Assert.True(failures.Count == 0, string.Join("\n\n", failures.Values));
        Assert.Equal(cases * factor, done);
        Assert.True(refused > done / 5, $"{name}: of {done} damaged files only {refused} were refused, so they test little.");
        long peak = PeakMemory(reset: false);
        Assert.True(peak - before < MostBytes, $"{name}: memory rose from {before >> 20} to {peak >> 20} MiB.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {done} damaged files, {refused} refused, {done - refused} read.");
    }

    private static int Seed(string name, int number) => (int)(SeedHash.Derive(number, [.. name.Select(c => (long)c)]) & int.MaxValue);

    // One of a kind is enough to see what is wrong: kinds are told apart by where they arise.
    private static void Keep(Dictionary<string, string> failures, string name, int number, byte[] bytes, string what, string? trace)
    {
        string[] places = [.. (trace ?? "").Split('\n').Select(line => line.Trim())
            .Where(line => line.StartsWith("at FewStep.", StringComparison.Ordinal)).Take(6)];
        string kind = places.FirstOrDefault() ?? what;
        if (failures.ContainsKey(kind))
            return;
        string file = Path.Combine(Path.GetTempPath(), $"fewstep-fuzz-{name.Replace(' ', '-')}-{number}");
        File.WriteAllBytes(file, bytes);
        failures[kind] = $"{name}, case {number}, kept as {file}: {what}\n  {string.Join("\n  ", places)}";
    }

    // The most that the process held in memory, in bytes; 0 where the system does not tell.
    private static long PeakMemory(bool reset)
    {
        if (!OperatingSystem.IsLinux())
            return 0;
        try
        {
            if (reset)
                File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Some containers forbid it; then the peak before this run is the highest of the runs before.
        }

        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
    }
}
