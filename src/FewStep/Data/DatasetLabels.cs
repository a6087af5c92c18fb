namespace FewStep.Data;

/// <summary>Class labels of a list of images.</summary>
internal sealed record DatasetLabels(int[]? Values, int Classes)
{
    /// <summary>Name of the file with the labels.</summary>
    public const string FileName = "dataset.json";

    /// <summary>More classes than this are taken for a mistake.</summary>
    public const int MostClasses = 65536;

    private const int SmallFile = 16 << 20, LargeFile = 256 << 20, BytesPerImage = 1 << 10;

    public static DatasetLabels None { get; } = new(null, 0);

    /// <summary>Class of an image; -1 = none.</summary>
    public int Of(int index) => Values is null ? -1 : Values[index];

    /// <summary>The most bytes that labels of so many images have: 16 MiB and a kibibyte for each, at most 256 MiB.</summary>
    public static int LargestFile(int images) => (int)Math.Min(LargeFile, SmallFile + ((long)BytesPerImage * images));

    /// <summary>Whether a path is that of a file of labels.</summary>
    public static bool IsFile(string name)
        => name.EndsWith(FileName, StringComparison.Ordinal) && (name.Length == FileName.Length || name[^(FileName.Length + 1)] == '/');

    /// <summary>The file of labels that counts: the one at the top, or else the only one, where all images lie in its folder, as in a zip
    /// of a whole folder. Any other is refused, for its labels would be lost.</summary>
    /// <param name="found">All files of labels in the container.</param>
    /// <returns>Its path; null where there is none.</returns>
    public static string? Place(IReadOnlyList<string> found, IReadOnlyList<string> images, string container)
    {
        if (found.Count == 0 || found.Contains(FileName))
            return found.Count == 0 ? null : FileName;
        return found.Count == 1 && images.All(name => name.StartsWith(Folder(found[0]), StringComparison.Ordinal))
            ? found[0]
            : throw new InvalidInputException($"{EntryName.In(found[0], container)} would not be read: labels lie in {FileName} at the "
                + "top, with the images' names from there. Move it there, or take it out.");
    }

    /// <summary>
    /// Reads the labels of a dataset.json: {"labels": [["00000/img00000000.png", 6], ...]}, with null or nothing for "no labels". A list
    /// "classes" of names, where there is one, gives the number of classes; else it is the largest label + 1. Memory is needed for the
    /// labels only, whatever else is in the file.
    /// </summary>
    /// <param name="names">The images; the file names them from the folder that it lies in.</param>
    /// <param name="file">The file's path within the container.</param>
    public static DatasetLabels Parse(ReadOnlyMemory<byte> bytes, IReadOnlyList<string> names, string file, string container)
    {
        string where = EntryName.In(file, container);
        try
        {
            var json = JsonText.Utf8(bytes).Span;
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 8 });
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
                throw new InvalidInputException($"{where} must be an object with a list \"labels\".");
            int[]? values = null;
            int named = 0;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                bool labels = reader.ValueTextEquals("labels"u8), classes = reader.ValueTextEquals("classes"u8);
                reader.Read();
                if (labels)
                    values = Match(ref reader, json, names, Folder(file).Length, where);
                else if (classes && reader.TokenType == JsonTokenType.StartArray)
                    named = Count(ref reader);
                else
                    reader.Skip();
            }

            while (reader.Read())
            {
            }

            return values is null ? None : new DatasetLabels(values, Math.Max(Math.Min(named, MostClasses), values.Max() + 1));
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // GetString of text with unpaired surrogates is an InvalidOperationException.
            throw new InvalidInputException($"{where} is not valid JSON: "
                + $"{(e is JsonException syntax ? JsonProblem.Describe(syntax) : e.Message.ReplaceLineEndings(" ").TrimEnd('.'))}.", e);
        }
    }

    private static string Folder(string file) => file[..^FileName.Length];

    private static int Count(ref Utf8JsonReader reader)
    {
        int count = 0;
        for (reader.Read(); reader.TokenType != JsonTokenType.EndArray; reader.Read())
        {
            reader.Skip();
            count++;
        }

        return count;
    }

    private static int[]? Match(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, IReadOnlyList<string> names, int skipped, string where)
    {
        if (reader.TokenType == JsonTokenType.Null)
            return null;
        if (reader.TokenType != JsonTokenType.StartArray)
            throw new InvalidInputException($"\"labels\" of {where} must be a list of [name, class] or null.");
        var indices = new Dictionary<string, int>(names.Count, StringComparer.Ordinal);
        for (int i = 0; i < names.Count; i++)
            indices.Add(names[i][skipped..], i);
        int[] values = new int[names.Count];
        Array.Fill(values, -1);
        int row = 0;
        for (reader.Read(); reader.TokenType != JsonTokenType.EndArray; reader.Read(), row++)
        {
            var (name, label) = Pair(ref reader, json, row, where);
            if (!indices.TryGetValue(name, out int index))
                throw new InvalidInputException($"Label {row} of {where} names '{EntryName.Shown(name)}', which is not among the images.");
            if (values[index] >= 0)
                throw new InvalidInputException($"Label {row} of {where} names '{EntryName.Shown(name)}' a second time.");
            values[index] = label;
        }

        int without = Array.IndexOf(values, -1);
        return without < 0 ? values : throw new InvalidInputException(
            $"{where} has no label for '{EntryName.Shown(names[without])}'; label every image or set \"labels\" to null.");
    }

    private static (string Name, int Label) Pair(ref Utf8JsonReader reader, ReadOnlySpan<byte> json, int row, string where)
    {
        if (reader.TokenType != JsonTokenType.StartArray || !reader.Read() || reader.TokenType != JsonTokenType.String)
            throw NoPair();
        string name = reader.GetString()!;
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndArray)
            throw NoPair();
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out int label) || label is < 0 or >= MostClasses)
        {
            int start = (int)reader.TokenStartIndex;
            reader.Skip();
            string given = Encoding.UTF8.GetString(json[start..Math.Min((int)reader.BytesConsumed, start + BytesPerImage)]);
            throw new InvalidInputException($"Label {row} of {where} ('{EntryName.Shown(name)}') is {EntryName.Shown(given)}; a class is a "
                + $"whole number from 0 to {MostClasses - 1}.");
        }

        return reader.Read() && reader.TokenType == JsonTokenType.EndArray ? (name, label) : throw NoPair();
        InvalidInputException NoPair() => new($"Label {row} of {where} is not of the form [name, class].");
    }
}
