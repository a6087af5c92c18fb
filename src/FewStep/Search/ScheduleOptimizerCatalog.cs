namespace FewStep.Search;

/// <summary>The schedule optimisers by name.</summary>
internal static class ScheduleOptimizerCatalog
{
    public static IReadOnlyList<ScheduleOptimizerEntry> All { get; } =
    [
        DiscretizationLossOptimizer.Entry,
        AysOptimizer.Entry,
        GitsOptimizer.Entry,
        DmNonUniformOptimizer.Entry,
        OptimalStepsOptimizer.Entry,
        EndpointOptimizer.Entry,
        PropagatedOptimizer.Entry,
    ];

    public static IReadOnlyList<string> Names { get; } = [.. All.Select(e => e.Name)];

    /// <summary>Finds an optimiser and checks its parameter.</summary>
    public static ScheduleOptimizerChoice Find(string text)
    {
        string[] parts = text.Split(':', 2);
        var entry = All.FirstOrDefault(e => e.Name == parts[0])
            ?? throw new InvalidInputException(
                $"There is no schedule optimiser '{Printable.Line(parts[0], 40)}'. Choose one of {string.Join(", ", Names)}."
                    + Suggestion.For(parts[0], Names));
        if (parts.Length == 1)
            return new ScheduleOptimizerChoice(entry, null);
        if (entry.CheckParameter is null)
        {
            throw new InvalidInputException(
                $"Schedule optimiser '{entry.Name}' takes nothing after a colon, but has '{Printable.Line(parts[1], 40)}' there.");
        }

        entry.CheckParameter(parts[1]);
        return new ScheduleOptimizerChoice(entry, parts[1]);
    }
}
