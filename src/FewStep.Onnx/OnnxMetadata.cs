using System.Globalization;
using System.Text.Json;
using FewStep.Denoising;

namespace FewStep.Onnx;

/// <summary>What an ONNX file that this program wrote holds.</summary>
internal enum OnnxKind
{
    /// <summary>x and sigma, and labels, to the denoised image.</summary>
    Denoiser,

    /// <summary>Latents, and labels, to images, in all steps of a sampler.</summary>
    Sampler,
}

/// <summary>What a file that this program wrote says of itself, in the metadata of the model.</summary>
internal sealed record OnnxMetadata
{
    private const string Prefix = "fewstep.", FormatVersion = "1";
    private const int LongestName = 200;
    private const int MostClasses = 1_000_000;

    public required OnnxKind Kind { get; init; }

    /// <summary>Name of the model that it was made from.</summary>
    public required string Model { get; init; }

    /// <summary>Hash of that model, under its guidance.</summary>
    public required string ModelHash { get; init; }

    /// <summary>Of the weights, as they were said; empty where nothing was.</summary>
    public string License { get; init; } = "";

    /// <summary>The program's version.</summary>
    public required string Version { get; init; }

    public required ImageShape Shape { get; init; }

    /// <summary>0 without classes.</summary>
    public int Classes { get; init; }

    /// <summary>Names of the classes in order; null where they have none.</summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>Whether the number of classes, as a label, stands for "no class".</summary>
    public bool KnowsNoClass { get; init; }

    /// <summary>The text of a sampler's file; null for a denoiser.</summary>
    public string? Sampler { get; init; }

    /// <summary>Steps of the sampler; 0 for a denoiser.</summary>
    public int Steps { get; init; }

    /// <summary>Evaluations of a network that an image costs: in all steps of a sampler, in a call of a denoiser.</summary>
    public required int Evaluations { get; init; }

    public required double SigmaMin { get; init; }
    public required double SigmaMax { get; init; }

    /// <summary>The guidance weight; 1 for none.</summary>
    public double Guidance { get; init; } = 1;

    /// <summary>The type that matrices and kernels are stored in.</summary>
    public string WeightsType { get; init; } = "float32";

    /// <summary>As the model's properties.</summary>
    public IReadOnlyDictionary<string, string> Write()
    {
        string Text(double value) => value.ToString("R", CultureInfo.InvariantCulture);
        var all = new Dictionary<string, string>
        {
            ["kind"] = Kind.ToString().ToLowerInvariant(),
            ["format"] = FormatVersion,
            ["version"] = Version,
            ["model"] = Model,
            ["model_sha256"] = ModelHash,
            ["license"] = License,
            ["shape"] = FormattableString.Invariant($"{Shape.Channels},{Shape.Height},{Shape.Width}"),
            ["classes"] = Text(Classes),
            ["no_class"] = KnowsNoClass ? "true" : "false",
            ["evaluations"] = Text(Evaluations),
            ["sigma_min"] = Text(SigmaMin),
            ["sigma_max"] = Text(SigmaMax),
            ["guidance"] = Text(Guidance),
            ["weights_type"] = WeightsType,
        };
        if (ClassNames is not null)
            all["class_names"] = JsonSerializer.Serialize(ClassNames);
        if (Sampler is not null)
        {
            all["sampler"] = Sampler;
            all["steps"] = Text(Steps);
        }

        return all.ToDictionary(pair => Prefix + pair.Key, pair => pair.Value);
    }

    /// <summary>Reads the properties of a file, without loading it; null for a file that this program did not write.</summary>
    /// <exception cref="InvalidInputException">The file is damaged, or a property is missing or makes no sense.</exception>
    public static OnnxMetadata? Of(string path) => Read(path, OnnxFileScan.Properties(path));

    /// <summary>Reads a model's properties; null for a file that this program did not write.</summary>
    /// <param name="path">The file, for messages.</param>
    /// <exception cref="InvalidInputException">A property is missing or makes no sense.</exception>
    public static OnnxMetadata? Read(string path, IReadOnlyDictionary<string, string> properties)
    {
        if (!properties.ContainsKey($"{Prefix}kind"))
            return null;
        string Text(string key) => properties.TryGetValue(Prefix + key, out string? text) ? text : throw Wrong(key, "is missing");
        InvalidInputException Wrong(string key, string what)
            => new($"{path}: its property {Prefix}{key} {what}; export the model again.");
        double Number(string key, double low, double high)
        {
            string text = Text(key);
            return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value >= low
                && value <= high ? value : throw Wrong(key, $"is {Printable.Text(text)}, which makes no sense");
        }

        string[]? Names()
        {
            try
            {
                return properties.TryGetValue($"{Prefix}class_names", out string? text) ? JsonSerializer.Deserialize<string[]>(text) : null;
            }
            catch (JsonException)
            {
                throw Wrong("class_names", "is no list of texts");
            }
        }

        if (Text("format") is var format && format != FormatVersion)
            throw Wrong("format", $"is {Printable.Text(format)}, and this program reads {FormatVersion}");
        var kind = Text("kind") switch
        {
            "denoiser" => OnnxKind.Denoiser,
            "sampler" => OnnxKind.Sampler,
            var other => throw Wrong("kind", $"is {Printable.Text(other)}, and this program knows denoiser and sampler"),
        };
        int[] sides = [.. Text("shape").Split(',').Select(side => int.TryParse(side, NumberStyles.None, CultureInfo.InvariantCulture,
            out int size) && size is >= 1 and <= 65536 ? size : throw Wrong("shape", "must be channels, height and width"))];
        int classes = (int)Number("classes", 0, MostClasses);
        var names = Names();
        if (names is not null && (names.Length != classes || names.Contains(null)))
            throw Wrong("class_names", InvariantText.Of($"has {names.Length} names for {classes} classes"));
        if (properties.GetValueOrDefault($"{Prefix}no_class") is not (null or "true" or "false"))
            throw Wrong("no_class", "is neither true nor false");
        return new OnnxMetadata
        {
            Kind = kind,
            Version = Printable.Line(Text("version"), LongestName),
            Model = Printable.Line(Text("model"), LongestName),
            ModelHash = Printable.Line(Text("model_sha256"), LongestName),
            License = Printable.Line(Text("license"), LongestName),
            Shape = sides is [int c, int h, int w] ? new ImageShape(c, h, w)
                : throw Wrong("shape", "must be channels, height and width"),
            Classes = classes,
            ClassNames = names,
            KnowsNoClass = properties.GetValueOrDefault($"{Prefix}no_class") == "true",
            Sampler = kind == OnnxKind.Sampler ? Text("sampler") : null,
            Steps = kind == OnnxKind.Sampler ? (int)Number("steps", 1, int.MaxValue) : 0,
            Evaluations = (int)Number("evaluations", 1, int.MaxValue),
            SigmaMin = Number("sigma_min", 0, SigmaLimits.Largest),
            SigmaMax = Number("sigma_max", 0, SigmaLimits.Largest),
            Guidance = Number("guidance", 0, double.MaxValue),
            WeightsType = properties.GetValueOrDefault($"{Prefix}weights_type") ?? "float32",
        };
    }
}
