using FewStep.Runtime;

namespace FewStep.Solvers;

/// <summary>The solvers by name.</summary>
public static class SolverCatalog
{
    /// <summary>Every solver, in the order of lists. They are stateless, so these objects serve every run.</summary>
    public static IReadOnlyList<ISolver> All { get; } = [new EulerSolver(), new HeunSolver()];

    /// <summary>The names alone.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. All.Select(s => s.Name)];

    /// <summary>Finds a solver.</summary>
    /// <param name="name">One of <see cref="Names"/>, or <c>ddim</c>, which is <c>euler</c>.</param>
    /// <exception cref="InvalidInputException">There is none of that name; the message lists the names.</exception>
    public static ISolver Find(string name)
    {
        string wanted = name == "ddim" ? "euler" : name;
        return All.FirstOrDefault(s => s.Name == wanted)
            ?? throw new InvalidInputException($"There is no solver '{new string([.. name.Take(40).Select(c => char.IsControl(c) ? ' ' : c)])}'. Choose one of {string.Join(", ", Names)}.");
    }
}
