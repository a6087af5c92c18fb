namespace FewStep.Text;

/// <summary>Prompts of a file, in its order; a prompt is known by its index.</summary>
/// <param name="Texts">The prompts.</param>
/// <param name="Source">The file or folder.</param>
/// <param name="Hash">SHA-256 of the content, lower-case hexadecimal.</param>
/// <param name="Images">File names of the images that they describe, of captions; null for lines of text.</param>
internal sealed record Prompts(IReadOnlyList<string> Texts, string Source, string Hash, IReadOnlyList<string>? Images = null)
{
    internal const long MostBytes = 128 << 20;

    private const int MostPrompts = 1_000_000, LongestPrompt = 10_000;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads a file: of captions in COCO's form where its name ends in <c>.json</c>, else of one prompt a line. Space around
    /// prompts is cut, blank lines are passed over. Of a folder, the captions of its images (<see cref="ImageCaptions"/>).</summary>
    /// <remarks>Of COCO's captions the first of each image, by the captions' ids, the images in the order of theirs.</remarks>
    public static Prompts Read(string path)
    {
        if (Directory.Exists(path))
        {
            var (names, captions) = ImageCaptions.Read(path);
            return captions.Count == 0 ? throw new InvalidInputException($"{path} holds no captions.")
                : new Prompts(captions, path, Sha256.Of(ImageCaptions.Text(names.Zip(captions))), names);
        }

        if (Path.GetFileName(path) == ImageCaptions.ListName)
            throw new InvalidInputException($"{path} is a list of captions of images; give their folder.");
        byte[] bytes = InputFile.ReadAll(path, MostBytes);
        string hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var utf8 = JsonText.Utf8(bytes);
        bool isJson = Path.GetExtension(path).Equals(".json", StringComparison.OrdinalIgnoreCase);
        var (texts, images) = isJson ? Captions(utf8, path) : (Lines(utf8, path), null);
        if (texts.Count == 0)
            throw new InvalidInputException($"{path} holds no prompts. Write one a line.");
        return new Prompts(texts, path, hash, images);
    }

    private static List<string> Lines(ReadOnlyMemory<byte> utf8, string path)
    {
        var texts = new List<string>();
        int number = 0;
        foreach (Range range in utf8.Span.Split((byte)'\n'))
        {
            number++;
            string line = Utf8(utf8.Span[range], $"{path}, line {number},").Trim();
            if (line.Length > 0)
                texts.Add(Checked(line, texts.Count, $"{path}, line {number}"));
        }

        return texts;
    }

    internal static string Utf8(ReadOnlySpan<byte> text, string where)
    {
        try
        {
            return Strict.GetString(text);
        }
        catch (DecoderFallbackException e)
        {
            throw new InvalidInputException($"{where} is no text in UTF-8. Save the file as UTF-8.", e);
        }
    }

    internal static string Checked(string text, int count, string where)
    {
        if (text.Length > LongestPrompt)
            throw new InvalidInputException($"{where}: the prompt has {text.Length} characters; read are up to {LongestPrompt}.");
        if (count >= MostPrompts)
            throw new InvalidInputException($"{where}: there are more than {MostPrompts} prompts; divide the file.");
        return text.Contains('\0', StringComparison.Ordinal)
            ? throw new InvalidInputException($"{where}: the prompt holds a zero character, so this is no file of texts.") : text;
    }

    private static (List<string> Texts, List<string> Images) Captions(ReadOnlyMemory<byte> utf8, string path)
    {
        try
        {
            using var json = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = 16 });
            var names = new SortedDictionary<long, string>();
            foreach (var image in List(json.RootElement, "images", path))
            {
                if (!names.TryAdd(image.GetProperty("id").GetInt64(), image.GetProperty("file_name").GetString() ?? ""))
                    throw new InvalidInputException($"{path}: two images have the id {image.GetProperty("id")}. Fetch the file again.");
            }

            var first = new Dictionary<long, (long Id, string Caption)>();
            foreach (var caption in List(json.RootElement, "annotations", path))
            {
                long id = caption.GetProperty("id").GetInt64(), image = caption.GetProperty("image_id").GetInt64();
                if (!names.ContainsKey(image))
                    throw new InvalidInputException($"{path}: the caption {id} is of the image {image}, which is not in the file.");
                if (!first.TryGetValue(image, out var before) || id < before.Id)
                    first[image] = (id, caption.GetProperty("caption").GetString() ?? "");
            }

            var texts = new List<string>();
            foreach (var (id, name) in names)
            {
                string text = first.TryGetValue(id, out var found) ? found.Caption.Trim() : "";
                texts.Add(text.Length > 0 ? Checked(text, texts.Count, $"{path}, image {id}") : throw new InvalidInputException(
                    $"{path}: the image {id} ({Printable.Text(name)}) has no caption."));
            }

            return (texts, [.. names.Values]);
        }
        catch (JsonException e)
        {
            throw new InvalidInputException($"{path} is not valid: {JsonProblem.Describe(e)}.", e);
        }
        catch (Exception e) when (e is KeyNotFoundException or FormatException or InvalidOperationException)
        {
            throw new InvalidInputException($"{path} holds no captions in COCO's form: images with id and file_name, annotations with id, "
                + "image_id and caption. Give such a file, or prompts one a line in a file of another name.", e);
        }
    }

    private static JsonElement.ArrayEnumerator List(JsonElement root, string name, string path)
        => root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray() : throw new InvalidInputException($"{path} has no list of {name}, so it holds no captions in COCO's "
                + "form. Prompts, one a line, may lie in a file of another name.");
}
