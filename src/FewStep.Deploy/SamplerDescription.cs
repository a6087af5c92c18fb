using System.Text.Json;

namespace FewStep.Deploy;

/// <summary>What a sampler graph says of itself.</summary>
public sealed record SamplerDescription
{
    internal const string Kind = "fewstep.kind", Format = "fewstep.format", KindOfSampler = "sampler", KnownFormat = "1";
    private const int MostValues = 1 << 24; // of an image, as everywhere in FewStep

    /// <summary>Name of the model; may be empty.</summary>
    public required string Model { get; init; }

    /// <summary>SHA-256 of the model that it was exported from, lower-case hexadecimal; may be empty.</summary>
    public required string ModelSha256 { get; init; }

    /// <summary>Licence of the model; empty where none was told.</summary>
    public required string License { get; init; }

    /// <summary>Version of FewStep that exported it.</summary>
    public required string Version { get; init; }

    /// <summary>Channels of an image: 1 is grey, 3 is red, green and blue.</summary>
    public required int Channels { get; init; }

    /// <summary>Rows of an image.</summary>
    public required int Height { get; init; }

    /// <summary>Columns of an image.</summary>
    public required int Width { get; init; }

    /// <summary>Number of classes; 0 where the model has none.</summary>
    public required int Classes { get; init; }

    /// <summary>Names of the classes in order; empty where they have none.</summary>
    public IReadOnlyList<string> ClassNames { get; init; } = [];

    /// <summary>Whether images can be asked for without a class (<see cref="FewStepSampler.NoClass"/>).</summary>
    public bool KnowsNoClass { get; init; }

    /// <summary>Steps of the sampler.</summary>
    public required int Steps { get; init; }

    /// <summary>Network evaluations that an image takes.</summary>
    public required double Evaluations { get; init; }

    /// <summary>The sampler file (<c>*.sampler.json</c>) as text: sigmas, solver and where they come from.</summary>
    public required string Sampler { get; init; }

    /// <summary>Values of an image: channels x height x width.</summary>
    public int Dimension => Channels * Height * Width;

    internal static SamplerDescription Read(string path, IReadOnlyDictionary<string, string> metadata)
    {
        string Text(string key) => metadata.GetValueOrDefault("fewstep." + key, "");
        int Whole(string key) => int.TryParse(Text(key), NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value
            : throw Damaged(path, key, Text(key));
        if (!metadata.TryGetValue(Kind, out string? kind) || kind != KindOfSampler)
        {
            string what = kind is null ? "an ONNX file, but no sampler graph of FewStep" : $"a {Line(kind)} graph, and no sampler graph";
            throw new SamplerGraphException($"{path} is {what}; {HowToMake}.");
        }

        if (Text("format") != KnownFormat)
        {
            throw new SamplerGraphException($"{path} is a sampler graph of format '{Line(Text("format"))}', and this program reads format "
                + $"{KnownFormat}; export it with the FewStep of this package's version, or take a newer package FewStep.Deploy.");
        }

        string[] sizes = Text("shape").Split(',');
        int[] shape = [.. sizes.Select(s => int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out int size) ? size : 0)];
        if (shape is not [> 0, > 0, > 0] || (double)shape[0] * shape[1] * shape[2] > MostValues)
            throw Damaged(path, "shape", Text("shape"));
        return new SamplerDescription
        {
            Model = Text("model"),
            ModelSha256 = Text("model_sha256"),
            License = Text("license"),
            Version = Text("version"),
            Channels = shape[0],
            Height = shape[1],
            Width = shape[2],
            Classes = Whole("classes"),
            ClassNames = Names(path, Text("class_names")),
            KnowsNoClass = Text("no_class") == "true",
            Steps = Whole("steps"),
            Evaluations = double.TryParse(Text("evaluations"), NumberStyles.Float, CultureInfo.InvariantCulture, out double evaluations)
                ? evaluations : throw Damaged(path, "evaluations", Text("evaluations")),
            Sampler = Text("sampler"),
        };
    }

    private static string[] Names(string path, string json)
    {
        if (json.Length == 0)
            return [];
        try
        {
            using var names = JsonDocument.Parse(json);
            return [.. names.RootElement.EnumerateArray().Select(n => n.GetString() ?? throw Damaged(path, "class_names", json))];
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw Damaged(path, "class_names", json);
        }
    }

    internal const string HowToMake =
        "make one with: fewstep export --model MODEL --to onnx --sampler SAMPLER --output sampler.onnx";

    private static SamplerGraphException Damaged(string path, string key, string value) =>
        new($"{path} says '{Line(value)}' as its {key} (fewstep.{key}), which cannot be; {HowToMake}.");

    // Texts of a file are quoted in messages of one line.
    internal static string Line(string text)
    {
        const int most = 200;
        string line = string.Concat(text.Trim().ReplaceLineEndings(" ").Select(c => char.IsControl(c) ? '?' : c));
        return line.Length <= most ? line : string.Concat(line.AsSpan(0, most), "...");
    }
}
