using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary>What <c>fewstep schedule --list-schedules</c> shows: the standard schedules.</summary>
internal static class StandardScheduleList
{
    public static void Show(TerminalOutput terminal, bool json)
        => terminal.Result(json, new { schedules = StandardSchedules.All }, console =>
    {
        var table = new Table().AddColumns("schedule", "what it is", "source");
        foreach (var entry in StandardSchedules.All)
        {
            string name = entry.Parameter is null ? entry.Name : $"{entry.Name}[:{entry.Parameter}]";
            table.AddRow(Markup.Escape(name), Markup.Escape(entry.Description), Markup.Escape(entry.Source));
        }

        console.Write(table);
        console.WriteLine("Wherever a schedule is asked for, a file with a JSON list of sigmas or a schedule file does as well, and is "
            + "used exactly as given.");
    });
}
