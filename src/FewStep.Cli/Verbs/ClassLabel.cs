namespace FewStep.Cli.Verbs;

/// <summary>A class label on the command line.</summary>
internal static class ClassLabel
{
    private const int MaximumNames = 20; // in a message of one line

    /// <summary>Reads an index, or a name of the model's classes.</summary>
    public static long Parse(string text, int classes, IReadOnlyList<string>? labelNames)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long index))
        {
            SeedLabels.CheckLabel(classes, index);
            return index;
        }

        var names = (labelNames ?? []).Take(classes).ToList();
        int named = names.FindIndex(name => string.Equals(name, text, StringComparison.OrdinalIgnoreCase));
        if (named >= 0)
            return named;
        string known = names.Count switch
        {
            0 when classes == 0 => "it has none",
            0 => $"it has {classes} without names; give an index",
            _ => $"they are {string.Join(", ", names.Take(MaximumNames))}{(names.Count > MaximumNames ? ", ..." : "")}",
        };
        throw new InvalidInputException($"Label '{text}' is none of the model's classes: {known}.");
    }

    /// <summary>What the labels of all images are, for the manifest.</summary>
    public static string Describe(long? label, int classes, IReadOnlyList<string>? labelNames) => label switch
    {
        null => classes == 0 ? "none" : $"seed mod {classes}",
        -1 => "none",
        long index => labelNames is { } names && index < names.Count ? $"{index} ({names[(int)index]})"
            : index.ToString(CultureInfo.InvariantCulture),
    };
}
