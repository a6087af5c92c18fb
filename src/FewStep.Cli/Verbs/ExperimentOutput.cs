using FewStep.Reporting;

namespace FewStep.Cli.Verbs;

/// <summary>Where the verbs that measure write what they found, and how they tell of it.</summary>
internal static class ExperimentOutput
{
    public static Option<string> Option(Command command, string usual) => command.Option(
        "--out", $"Folder for {string.Join(", ", SummaryExporter.All.Select(e => e.FileName))} and {MeasurementStore.FileName}; what lies "
            + $"there already is not measured again.", usual, "folder");

    public static void Write(TerminalOutput terminal, bool json, Summary summary, string folder)
    {
        Report.Write(summary, folder);
        terminal.Result(json, summary, console => ReportTables.Show(console, summary, Path.Combine(folder, Report.FileName)));
    }
}
