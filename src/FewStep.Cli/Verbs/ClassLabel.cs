namespace FewStep.Cli.Verbs;

/// <summary>A class label on the command line.</summary>
internal static class ClassLabel
{
    private const int MaximumNames = 20; // in a message of one line

    /// <summary>Reads an index, or a name of the model's classes.</summary>
    public static long Parse(string text, ModelConfig model)
    {
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long index))
        {
            SeedLabels.CheckLabel(model.Classes, index);
            return index;
        }

        var names = (model.ClassNames ?? []).Take(model.Classes).ToList();
        int named = names.FindIndex(name => string.Equals(name, text, StringComparison.OrdinalIgnoreCase));
        if (named >= 0)
            return named;
        string known = names.Count switch
        {
            0 when model.Classes == 0 => "it has none",
            0 => $"it has {model.Classes} without names; give an index",
            _ => $"they are {string.Join(", ", names.Take(MaximumNames))}{(names.Count > MaximumNames ? ", ..." : "")}",
        };
        throw new InvalidInputException($"Label '{text}' is none of the model's classes: {known}.");
    }

    /// <summary>What the labels of all images are, for the manifest.</summary>
    public static string Describe(long? label, ModelConfig model) => label switch
    {
        null => model.Classes == 0 ? "none" : $"seed mod {model.Classes}",
        -1 => "none",
        long index => model.ClassNames is { } names && index < names.Count ? $"{index} ({names[(int)index]})"
            : index.ToString(CultureInfo.InvariantCulture),
    };
}
