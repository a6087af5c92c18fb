using System.Collections.Concurrent;

namespace FewStep.Solvers;

/// <summary>The solvers by name. A new solver is one file, and one line here.</summary>
public static class SolverCatalog
{
    private static readonly ConcurrentDictionary<string, ISolver> Known = new(StringComparer.Ordinal);

    /// <summary>The solver that is best with weights untouched, on the models that ship: what tuning has to beat, and what samples are made
    /// with where nothing else is said.</summary>
    public const string Untuned = "ipndm:3";

    /// <summary>Every family of solvers, in the order of lists.</summary>
    internal static ImmutableArray<SolverFamily> Families { get; } =
    [
        EulerSolver.Family,
        HeunSolver.Family,
        DpmSolver2.Family,
        DpmPlusPlusSolver.Family,
        UniPcSolver.Family,
        SlopeSolver.Deis,
        SlopeSolver.Ipndm,
        SlopeSolver.VariableIpndm,
        LcmSolver.Family,
    ];

    /// <summary>The families' names alone.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Families.Select(f => f.Name)];

    /// <summary>Every family at each of its orders, with default options. They are stateless, so these objects serve every run.</summary>
    public static IReadOnlyList<ISolver> All { get; } = [.. Families.SelectMany(
        f => f.Orders.IsEmpty ? [f.Name] : f.Orders.Select(order => InvariantText.Of($"{f.Name}:{order}"))).Select(Find)];

    /// <summary>Finds a solver.</summary>
    /// <param name="text"><c>name[:order][:key=value]...</c> with a name of <see cref="Names"/>, or <c>ddim</c>, which is
    /// <c>euler</c>.</param>
    /// <returns>The solver; texts that mean the same give the same object.</returns>
    /// <exception cref="InvalidInputException">There is no such solver, order or option; the message lists those there are.</exception>
    public static ISolver Find(string text)
    {
        var wanted = SolverText.Parse(text);
        var family = Family(wanted);
        var solver = family.Make(new SolverSettings(family, wanted));
        return Known.GetOrAdd(solver.Name, solver);
    }

    internal static SolverFamily Family(SolverText text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string name = text.Name == "ddim" ? EulerSolver.Family.Name : text.Name;
        return Families.FirstOrDefault(f => f.Name == name)
            ?? throw new InvalidInputException(
                $"There is no solver '{SolverText.Shown(text.Name)}'. Choose one of {string.Join(", ", Names)}."
                    + Suggestion.For(text.Name, Names));
    }
}
