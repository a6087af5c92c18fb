namespace FewStep.Data;

/// <summary>The classes of ImageNet as <c>map_clsloc.txt</c> lists them, a line each: synset, number, name (<c>n02119789 1 kit_fox</c>).
/// Labels follow the sorted synsets, as in class folders.</summary>
internal sealed class ImageNetClassMap
{
    public const int Classes = 1000;
    private readonly int[] _labels = new int[Classes + 1];

    private ImageNetClassMap(IReadOnlyList<string> names) => Names = names;

    /// <summary>Synset and name by label, e.g. <c>n02119789 kit_fox</c>.</summary>
    public IReadOnlyList<string> Names { get; }

    public static ImageNetClassMap Read(string path)
    {
        string[] lines = InputFile.ReadText(path, 1 << 20).Split('\n', StringSplitOptions.TrimEntries);

        var rows = new SortedDictionary<string, (int Number, string Name)>(StringComparer.Ordinal);
        var numbers = new HashSet<int>();
        for (int i = 0; i < lines.Length; i++)
        {
            string[] parts = lines[i].Split((char[]?)null, 3, StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length == 0)
                continue;
            if (parts.Length < 2 || !int.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                || number is < 1 or > Classes
                || !numbers.Add(number) || !rows.TryAdd(parts[0], (number, parts.Length > 2 ? parts[2].Trim() : "")))
            {
                throw new InvalidInputException(
                    $"Line {i + 1} of {path} is not 'synset number name' with each synset and each number from 1 to {Classes} once.");
            }
        }

        if (rows.Count != Classes)
            throw new InvalidInputException($"{path} lists {rows.Count} classes, not {Classes}.");
        var map = new ImageNetClassMap([.. rows.Select(r => EntryName.Shown($"{r.Key} {r.Value.Name}".TrimEnd()))]);
        int label = 0;
        foreach (var (number, _) in rows.Values)
            map._labels[number] = label++;
        return map;
    }

    /// <summary>The label of a class by its number in the development kit.</summary>
    public int Label(int number) => _labels[number];
}
