namespace FewStep.Cli.Verbs;

/// <summary>Values that a shell completes; names of verbs and options it knows from the options themselves.</summary>
internal static class Completions
{
    public static void AddTo(Command root)
    {
        foreach (var option in root.WithSubcommands().SelectMany(c => c.Options))
        {
            string[] words = option.Name switch
            {
                "--solver" or "--solvers" or "--teacher-solver" => [.. SolverCatalog.Names],
                "--schedule" or "--schedules" => [.. StandardSchedules.Names, .. ScheduleOptimizerCatalog.Names],
                "--optimizer" => [.. ScheduleOptimizerCatalog.Names],
                "--metrics" => [.. MetricCatalog.Names],
                _ when option.HelpName is { } help && help.Contains('|', StringComparison.Ordinal) => help.Split('|'),
                _ => [],
            };
            if (words.Length > 0)
                option.CompletionSources.Add(words);
        }
    }
}
