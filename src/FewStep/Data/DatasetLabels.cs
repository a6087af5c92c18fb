namespace FewStep.Data;

/// <summary>Class labels of a list of images.</summary>
internal sealed record DatasetLabels(int[]? Values, int Classes)
{
    /// <summary>Name of the file with the labels.</summary>
    public const string FileName = "dataset.json";

    /// <summary>More classes than this are taken for a mistake.</summary>
    public const int MostClasses = 65536;

    public static DatasetLabels None { get; } = new(null, 0);

    /// <summary>Class of an image; -1 = none.</summary>
    public int Of(int index) => Values is null ? -1 : Values[index];

    /// <summary>
    /// Reads the labels of a dataset.json: {"labels": [["00000/img00000000.png", 6], ...]}, with null or nothing for "no labels". A list
    /// "classes" of names, where there is one, gives the number of classes; else it is the largest label + 1.
    /// </summary>
    public static DatasetLabels Parse(ReadOnlyMemory<byte> json, IReadOnlyList<string> names, string container)
    {
        string where = $"dataset.json in {container}";
        try
        {
            using var document = JsonDocument.Parse(JsonText.Utf8(json), new JsonDocumentOptions { MaxDepth = 8 });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object)
                throw new InvalidInputException($"{where} must be an object with a list \"labels\".");
            if (!root.TryGetProperty("labels", out var labels) || labels.ValueKind == JsonValueKind.Null)
                return None;
            if (labels.ValueKind != JsonValueKind.Array)
                throw new InvalidInputException($"\"labels\" of {where} must be a list of [name, class] or null.");
            int[] values = Match(labels, names, where);
            int named =
                root.TryGetProperty("classes", out var classes) && classes.ValueKind == JsonValueKind.Array ? classes.GetArrayLength() : 0;
            return new DatasetLabels(values, Math.Max(Math.Min(named, MostClasses), values.Max() + 1));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // GetString of text with unpaired surrogates is an InvalidOperationException.
            throw new InvalidInputException($"{where} is not valid JSON: "
                + $"{(e is JsonException syntax ? JsonProblem.Describe(syntax) : e.Message.ReplaceLineEndings(" ").TrimEnd('.'))}.", e);
        }
    }

    private static int[] Match(JsonElement labels, IReadOnlyList<string> names, string where)
    {
        var indices = new Dictionary<string, int>(names.Count, StringComparer.Ordinal);
        for (int i = 0; i < names.Count; i++)
            indices.Add(names[i], i);
        int[] values = new int[names.Count];
        Array.Fill(values, -1);
        int row = 0;
        foreach (var pair in labels.EnumerateArray())
        {
            if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() != 2 || pair[0].ValueKind != JsonValueKind.String)
                throw new InvalidInputException($"Label {row} of {where} is not of the form [name, class].");
            string name = pair[0].GetString()!;
            if (pair[1].ValueKind != JsonValueKind.Number || !pair[1].TryGetInt32(out int label) || label is < 0 or >= MostClasses)
            {
                throw new InvalidInputException($"Label {row} of {where} ('{EntryName.Shown(name)}') is "
                    + $"{EntryName.Shown(pair[1].GetRawText())}; a class is a whole number from 0 to {MostClasses - 1}.");
            }

            if (!indices.TryGetValue(name, out int index))
                throw new InvalidInputException($"Label {row} of {where} names '{EntryName.Shown(name)}', which is not among the images.");
            if (values[index] >= 0)
                throw new InvalidInputException($"Label {row} of {where} names '{EntryName.Shown(name)}' a second time.");
            values[index] = label;
            row++;
        }

        int without = Array.IndexOf(values, -1);
        return without < 0 ? values : throw new InvalidInputException(
            $"{where} has no label for '{EntryName.Shown(names[without])}'; label every image or set \"labels\" to null.");
    }
}
