using FewStep.Noise;
using FewStep.Experiments;
using FewStep.Platform;
using FewStep.Search;

namespace FewStep.Cli.Verbs;

/// <summary>The schedules of <c>fewstep compare</c> on the command line: standard ones, optimisers, files.</summary>
internal static class CompareSchedules
{
    /// <summary>Reads the values of an option: each a file, or a list with commas.</summary>
    /// <param name="values">What was given.</param>
    /// <returns>Each entry once, in the order given, with names that differ.</returns>
    /// <exception cref="InvalidInputException">A name is unknown, or a file invalid.</exception>
    public static IReadOnlyList<ComparisonSchedule> Parse(IEnumerable<string> values)
    {
        var schedules = new List<ComparisonSchedule>();
        foreach (string text in values.SelectMany(v => File.Exists(v) ? [v] : v.Split(',', StringSplitOptions.TrimEntries)).Distinct())
        {
            var schedule = One(text);
            string name = schedule.Name;
            for (int copy = 2; schedules.Any(s => s.Name == name); copy++)
            {
                name = FormattableString.Invariant($"{schedule.Name} ({copy})");
            }

            schedules.Add(schedule with { Name = name });
        }

        return schedules;
    }

    private static ComparisonSchedule One(string text)
    {
        if (ScheduleChoice.IsFile(text))
        {
            return new ComparisonSchedule.Given(Sampling.SamplerFile.NameOf(text), Sampling.SamplerFile.Read(text).Schedule);
        }

        string head = text.Split(':', 2)[0];
        if (ScheduleOptimizerCatalog.Names.Contains(head))
        {
            var choice = ScheduleOptimizerCatalog.Find(text);
            return new ComparisonSchedule.Searched(choice.Text, choice);
        }

        try
        {
            return new ComparisonSchedule.Standard(text, StandardSchedules.Find(text));
        }
        catch (InvalidInputException e) when (StandardSchedules.Names.All(n => n != head))
        {
            throw new InvalidInputException($"{e.Message} Or an optimiser ({string.Join(", ", ScheduleOptimizerCatalog.Names)}), or a schedule file.", e);
        }
    }
}
