using System.Collections.Immutable;

namespace FewStep.Solvers;

/// <summary>A solver by its name, with the orders and options that it comes in.</summary>
/// <param name="Name">Its name, lower case with hyphens.</param>
/// <param name="Description">One line.</param>
/// <param name="Source">The paper.</param>
/// <param name="Make">Makes the solver from checked settings.</param>
public sealed record SolverFamily(string Name, string Description, string Source, Func<SolverSettings, ISolver> Make)
{
    /// <summary>The orders that may follow the name after a colon, rising; empty where there is but one.</summary>
    public ImmutableArray<int> Orders { get; init; } = [];

    /// <summary>The order where none is given; null without <see cref="Orders"/>.</summary>
    public int? DefaultOrder { get; init; }

    /// <summary>The options that may follow.</summary>
    public ImmutableArray<SolverOption> Options { get; init; } = [];

    /// <summary>How the text form looks, e.g. <c>unipc[:1..3][:variant=bh1|bh2]</c>.</summary>
    public string Form => Name
        + (Orders.IsEmpty ? "" : $"[:{Orders[0]}..{Orders[^1]}]")
        + string.Concat(Options.Select(o => $"[:{o.Key}={o.Values.Replace(" to ", "..", StringComparison.Ordinal)}]"));
}
