using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>A schedule that somebody chose: a standard one, what an optimiser finds for the model, or a file's.</summary>
internal abstract record ScheduleChoice(string Name)
{
    public abstract ScheduleSource Source { get; }

    /// <summary>A schedule for every number of steps that needs no model but its noise levels.</summary>
    public sealed record Standard(string Name, StandardSchedule Schedule) : ScheduleChoice(Name)
    {
        public override ScheduleSource Source => ScheduleSource.Standard;
    }

    /// <summary>What an optimiser finds for the model, and where it says so for each solver.</summary>
    public sealed record Searched(string Name, ScheduleOptimizerChoice Optimizer) : ScheduleChoice(Name)
    {
        public override ScheduleSource Source => Optimizer.Source;
    }

    /// <summary>A schedule as it was given, which has its own number of steps, with the solver that it was made for where that is
    /// known.</summary>
    public sealed record Given(
        string Name, SamplingSchedule Schedule, ISolver? Solver = null, SamplerOrigin? Origin = null) : ScheduleChoice(Name)
    {
        public override ScheduleSource Source => ScheduleSource.Given;
    }

    public static ScheduleChoice Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (IsFile(text))
        {
            var file = SamplerFile.Read(text);
            return new Given(SamplerFile.NameOf(text), file.Schedule, file.Solver, file.Origin);
        }

        string head = text.Split(':', 2)[0];
        if (ScheduleOptimizerCatalog.Names.Contains(head))
        {
            var optimizer = ScheduleOptimizerCatalog.Find(text);
            return new Searched(optimizer.Text, optimizer);
        }

        return StandardSchedules.Names.Contains(head)
            ? new Standard(text, StandardSchedules.Find(text))
            : throw new InvalidInputException(
                $"There is no schedule '{Printable.Line(text, 40)}'. Choose one of {string.Join(", ", StandardSchedules.Names)}, "
                + $"or an optimiser ({string.Join(", ", ScheduleOptimizerCatalog.Names)}), or a file of sigmas.");
    }

    public static IReadOnlyList<ScheduleChoice> ParseAll(IEnumerable<string> values)
    {
        var choices = new List<ScheduleChoice>();
        foreach (string text in values.SelectMany(v => File.Exists(v) ? [v] : v.Split(',', StringSplitOptions.TrimEntries)).Distinct())
        {
            var choice = Parse(text);
            string name = choice.Name;
            for (int copy = 2; choices.Any(c => c.Name == name); copy++)
                name = FormattableString.Invariant($"{choice.Name} ({copy})");

            choices.Add(choice with { Name = name });
        }

        return choices;
    }

    internal static bool IsFile(string text) =>
        text.EndsWith(".json", StringComparison.OrdinalIgnoreCase) || text.Contains(Path.DirectorySeparatorChar) || File.Exists(text);
}
