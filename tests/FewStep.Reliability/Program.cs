using FewStep.Cli.Terminal;
using FewStep.Cli.Verbs;

namespace FewStep.Reliability;

/// <summary>Kills the program while it writes, goes on, and holds the results against those of an undisturbed run.</summary>
internal static class Program
{
    private const string Usage = "kill [moments [verb]] | two | child N verb options...";

    public static async Task<int> Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["kill"]:
                return Report(KillCampaign.Run(moments: 100));
            case ["kill", var moments] when int.TryParse(moments, NumberStyles.None, CultureInfo.InvariantCulture, out int number):
                return Report(KillCampaign.Run(number));
            case ["kill", var moments, var verb]
                when int.TryParse(moments, NumberStyles.None, CultureInfo.InvariantCulture, out int number):
                return Report(KillCampaign.Run(number, verb));
            case ["two"]:
                return Report(TwoProcesses.Run());
            case ["child", var rename, .. var line] when int.TryParse(rename, CultureInfo.InvariantCulture, out int deadly):
                return await Child(deadly, line);
            default:
                await Console.Error.WriteLineAsync($"Give one of: {Usage}.");
                return 2;
        }
    }

    // The command line itself, which dies before a rename; 0 for never, below 0 those that it starts. How many there were is told at the
    // end.
    private static async Task<int> Child(int deadly, string[] line)
    {
        int renames = 0;
        LaunchedRanks.UsePlainTerminal();
        LocalShards.Program = CommandRun.Program(Math.Max(0, -deadly));
        AtomicFile.BeforeRename = () =>
        {
            if (Interlocked.Increment(ref renames) == deadly)
                Process.GetCurrentProcess().Kill();
        };
        int code = await CommandLine.Run(line, Console.Out, Console.Error);
        if (renames > 0) // of several ranks the first has them all
            await Console.Out.WriteLineAsync($"{CommandRun.RenamesMark}{renames}");
        return code;
    }

    private static int Report(IReadOnlyList<string> failures)
    {
        foreach (string failure in failures)
            Console.WriteLine($"FAILED: {failure}");
        Console.WriteLine(failures.Count == 0 ? "All held." : $"{failures.Count} failed.");
        return failures.Count == 0 ? 0 : 1;
    }
}
