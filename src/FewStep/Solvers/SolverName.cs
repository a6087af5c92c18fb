using System.Globalization;

namespace FewStep.Solvers;

/// <summary>Writes solvers' names: the order always, an option where it changes what the solver does.</summary>
internal static class SolverName
{
    /// <summary>The canonical text.</summary>
    /// <param name="family">The family's name.</param>
    /// <param name="order">The order; null where the family has but one.</param>
    /// <param name="options">Key, value, and whether the value is other than the default and has an effect.</param>
    public static string Of(string family, int? order, params ReadOnlySpan<(string Key, string Value, bool Matters)> options)
    {
        string name = order is int p ? string.Create(CultureInfo.InvariantCulture, $"{family}:{p}") : family;
        foreach (var (key, value, matters) in options)
        {
            name += matters ? $":{key}={value}" : "";
        }

        return name;
    }
}
