using FewStep.Platform;

namespace FewStep.Search;

/// <summary>The schedule optimisers by name.</summary>
public static class ScheduleOptimizerCatalog
{
    /// <summary>Every optimiser, in the order of lists.</summary>
    public static IReadOnlyList<ScheduleOptimizerEntry> All { get; } =
    [
        DiscretizationLossOptimizer.Entry,
        AysOptimizer.Entry,
        GitsOptimizer.Entry,
        DmNonUniformOptimizer.Entry,
        OptimalStepsOptimizer.Entry,
        EndpointOptimizer.Entry,
    ];

    /// <summary>The names alone.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(e => e.Name)];

    /// <summary>Finds an optimiser and checks its parameter.</summary>
    /// <param name="text">One of <see cref="Names"/>, with a parameter after a colon where the optimiser has one, e.g. <c>gits:1.15</c>.</param>
    /// <exception cref="InvalidInputException">There is none of that name, or the parameter is none of its own; the message says what would be.</exception>
    public static ScheduleOptimizerChoice Find(string text)
    {
        string[] parts = text.Split(':', 2);
        var entry = All.FirstOrDefault(e => e.Name == parts[0])
            ?? throw new InvalidInputException($"There is no schedule optimiser '{Printable.Line(parts[0], 40)}'. Choose one of {string.Join(", ", Names)}.");
        if (parts.Length == 1)
        {
            return new ScheduleOptimizerChoice(entry, null);
        }

        if (entry.CheckParameter is null)
        {
            throw new InvalidInputException($"Schedule optimiser '{entry.Name}' takes nothing after a colon, but has '{Printable.Line(parts[1], 40)}' there.");
        }

        entry.CheckParameter(parts[1]);
        return new ScheduleOptimizerChoice(entry, parts[1]);
    }
}
