using FewStep.Data;

namespace FewStep.Text;

/// <summary>Captions that lie beside images: in a list of all, as Hugging Face's image folders have it, or in a text file for each, as
/// programs that train LoRAs take them.</summary>
internal static class ImageCaptions
{
    /// <summary>A line for each image: an object with <c>file_name</c> and <c>text</c>.</summary>
    public const string ListName = "metadata.jsonl";

    private const string TextExtension = ".txt", NameKey = "file_name", TextKey = "text";
    private const int MostBytes = 1 << 16;

    /// <summary>Whether a folder has captions for its images.</summary>
    public static bool AreIn(string path) => Directory.Exists(path) && (File.Exists(Path.Combine(path, ListName))
        || ReadFailure.Guard(path, () => FolderTree.Files(Path.GetFullPath(path)).Any(name => IsCaption(path, name))));

    /// <summary>Captions of the images below a folder: those of its list in their order, or of the text files in the order of the images'
    /// names.</summary>
    /// <returns>Names of the images from the folder, and their captions.</returns>
    public static (IReadOnlyList<string> Images, IReadOnlyList<string> Texts) Read(string folder)
    {
        var images = new ImageFolderFiles(folder).Names;
        string list = Path.Combine(folder, ListName);
        string? text = images.Select(name => Path.ChangeExtension(name, TextExtension)).FirstOrDefault(
            name => File.Exists(Path.Combine(folder, name)));
        if (!File.Exists(list))
        {
            return text is null ? throw new InvalidInputException($"{folder} holds images without captions. Write each image's into a text "
                + $"file of the same name, or all into {ListName} ({NameKey} and {TextKey} in each line).")
                : (images, [.. images.Select(name => Caption(folder, name))]);
        }

        if (text is not null)
        {
            throw new InvalidInputException($"{folder} has captions twice, in {ListName} and in '{EntryName.Shown(text)}'. Take one "
                + "of them out.");
        }

        var (names, texts) = Lines(InputFile.ReadAll(list, Prompts.MostBytes), list);
        var there = images.ToHashSet(StringComparer.Ordinal);
        string? missing = names.FirstOrDefault(name => !there.Contains(name));
        return missing is null ? (names, texts) : throw new InvalidInputException(
            $"{list} has a caption of '{EntryName.Shown(missing)}', which is no image of the folder.");
    }

    /// <summary>The list of captions, as it is read here.</summary>
    public static string Text(IEnumerable<(string Image, string Caption)> captions) => string.Concat(captions.Select(each =>
        JsonSerializer.Serialize(new Dictionary<string, string> { [NameKey] = each.Image, [TextKey] = each.Caption }) + "\n"));

    private static bool IsCaption(string folder, string name) => Path.GetExtension(name) == TextExtension && Array.Exists(
        [".png", ".jpg", ".jpeg"], image => File.Exists(Path.Combine(folder, Path.ChangeExtension(name, image))));

    private static string Caption(string folder, string image)
    {
        string name = Path.ChangeExtension(image, TextExtension), path = Path.Combine(folder, name);
        if (!File.Exists(path))
        {
            throw new InvalidInputException($"{EntryName.In(image, folder)} has no caption '{EntryName.Shown(name)}' beside it, as others "
                + "have.");
        }

        string[] lines = Prompts.Utf8(JsonText.Utf8(InputFile.ReadAll(path, MostBytes)).Span, path)
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return lines.Length == 1 ? Prompts.Checked(lines[0], 0, path)
            : throw new InvalidInputException($"{path} has {lines.Length} lines of text; a caption is one.");
    }

    private static (List<string> Names, List<string> Texts) Lines(byte[] bytes, string path)
    {
        var (names, texts) = (new List<string>(), new List<string>());
        var seen = new HashSet<string>(StringComparer.Ordinal);
        int number = 0;
        var all = JsonText.Utf8(bytes);
        foreach (Range range in all.Span.Split((byte)'\n'))
        {
            number++;
            var line = all[range];
            if (line.Span.Trim(" \r\t"u8).IsEmpty)
                continue;
            string where = $"{path}, line {number}";
            string name = Member(line, NameKey, where), text = Member(line, TextKey, where).Trim();
            if (text.Length == 0)
                throw new InvalidInputException($"{where}: '{EntryName.Shown(name)}' has an empty caption. Write one, or take it out.");
            if (!seen.Add(name))
                throw new InvalidInputException($"{where} names '{EntryName.Shown(name)}' a second time.");
            names.Add(name);
            texts.Add(Prompts.Checked(text.ReplaceLineEndings(" "), texts.Count, where));
        }

        return (names, texts);
    }

    private static string Member(ReadOnlyMemory<byte> line, string key, string where)
    {
        try
        {
            using var json = JsonDocument.Parse(line, new JsonDocumentOptions { MaxDepth = 16 });
            return json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty(key, out var value)
                && value.ValueKind == JsonValueKind.String ? value.GetString()!
                : throw new InvalidInputException($"{where} has no text {key}. Each line is an object with {NameKey} and {TextKey}.");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // GetString of text with unpaired surrogates is an InvalidOperationException.
            throw new InvalidInputException($"{where} is not valid JSON"
                + $"{(e is JsonException syntax ? $": {JsonProblem.Describe(syntax)}" : "")}.", e);
        }
    }
}
