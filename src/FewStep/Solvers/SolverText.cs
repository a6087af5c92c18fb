namespace FewStep.Solvers;

/// <summary>A solver as text, <c>name[:order][:key=value]...</c>, taken apart but not yet held against what there is. Underscores count as
/// hyphens.</summary>
internal sealed record SolverText
{
    private SolverText(string name) => Name = name;

    public string Name { get; }

    /// <summary>The order; null where none was given.</summary>
    public int? Order { get; private init; }

    public ImmutableSortedDictionary<string, string> Options { get; private init; } = ImmutableSortedDictionary.Create<string, string>(
        StringComparer.Ordinal);

    public static SolverText Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string[] parts = text.Split(':');
        var solver = new SolverText(Word(parts[0]));
        for (int i = 1; i < parts.Length; i++)
        {
            string[] pair = parts[i].Split('=', 2);
            if (pair.Length == 2)
            {
                solver = solver.With(pair[0], pair[1]);
            }
            else if (i == 1 && int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int order))
            {
                solver = solver.WithOrder(order);
            }
            else
            {
                throw new InvalidInputException($"Solver '{Shown(text)}': '{Shown(parts[i])}' is neither an order right after the name nor "
                    + "key=value, as in unipc:3:variant=bh1.");
            }
        }

        return solver;
    }

    public SolverText WithOrder(int order) => Order is int other && other != order
        ? throw new InvalidInputException(
            $"Solver '{Shown(ToString())}' has order {other}, but order {order} was asked for too; give one of them.")
        : this with { Order = order };

    public SolverText With(string key, string value)
    {
        string word = Word(key);
        return Options.TryGetValue(word, out string? other) && other != value
            ? throw new InvalidInputException($"Solver '{Shown(ToString())}' has {Shown(word)}={Shown(other)}, but "
                + $"{Shown(word)}={Shown(value)} was asked for too; give one of them.")
            : this with { Options = Options.SetItem(word, value) };
    }

    public override string ToString() => Name + (Order is int order ? InvariantText.Of($":{order}") : "")
        + string.Concat(Options.Select(o => $":{o.Key}={o.Value}"));

    /// <summary>A part of a text for a message: short, in one line.</summary>
    internal static string Shown(string text) => Printable.Line(text, 60);

    private static string Word(string text) => text.Trim().Replace('_', '-').ToLowerInvariant();
}
