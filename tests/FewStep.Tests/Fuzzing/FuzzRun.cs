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

    // Beyond the file, of the whole process, libtorch's tensors too; and of all objects that a case makes, freed or not.
    private const long MostBytes = 200_000_000;

    // Of the clock and of the processors both: other processes take the one, other threads of this one take the other.
    private static readonly TimeSpan MostTime = TimeSpan.FromSeconds(2);

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
        TimeSpan longest = default;
        long before = PeakMemory(reset: true), most = 0;
        for (; done < cases * factor && failures.Count < MostFailures; done++)
        {
            byte[] bytes = damaged(new Random(Seed(name, done)));
            File.WriteAllBytes(path, bytes);
            string label = $"{name}, case {done}";
            using var watchdog = new Timer(_ => Environment.FailFast($"{label} ({path}) has not ended after {EndlessTime}."), null,
                EndlessTime, Timeout.InfiniteTimeSpan);
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            var (watch, processors) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
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

            var used = Environment.CpuUsage.TotalTime - processors;
            var time = used < watch.Elapsed ? used : watch.Elapsed;
            longest = time > longest ? time : longest;
            if (time > MostTime)
                Keep(failures, name, done, bytes, $"took {time}", null);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            if (PeakMemory(reset: false) - before > MostBytes)
                (before, allocated) = (PeakMemory(reset: true), Math.Max(allocated, Again(read)));
            most = Math.Max(most, allocated);
            if (allocated > MostBytes + bytes.Length)
                Keep(failures, name, done, bytes, $"took {allocated >> 20} MiB of memory for {bytes.Length} bytes", null);
        }

        Assert.True(failures.Count == 0, string.Join("\n\n", failures.Values));
        Assert.Equal(cases * factor, done);
        Assert.True(refused > done / 5, $"{name}: of {done} damaged files only {refused} were refused, so they test little.");
        TestContext.Current.TestOutputHelper?.WriteLine($"{name}: {done} damaged files, {refused} refused, {done - refused} read; "
            + $"{longest.TotalMilliseconds:F0} ms and {most / 1e6:F0} MB at the most.");
    }

    // What the process held may be garbage of the cases before; so the case is measured alone, after a collection.
    private static long Again(Action read)
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        long before = PeakMemory(reset: true);
        try
        {
            read();
        }
        catch (InvalidInputException)
        {
            // It was judged the first time.
        }

        return PeakMemory(reset: false) - before;
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
