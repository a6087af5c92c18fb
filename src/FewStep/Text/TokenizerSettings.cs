using FewStep.Checkpoints;

namespace FewStep.Text;

/// <summary>What the folder of a tokenizer says beside its vocabulary: <c>tokenizer_config.json</c> and
/// <c>special_tokens_map.json</c>.</summary>
internal sealed class TokenizerSettings
{
    private const string ConfigName = "tokenizer_config.json", SpecialName = "special_tokens_map.json";

    private readonly Dictionary<string, JsonElement> _config, _special;

    private TokenizerSettings(string folder)
    {
        string config = System.IO.Path.Combine(folder, ConfigName), special = System.IO.Path.Combine(folder, SpecialName);
        (Path, Files) = (config, [.. new[] { config, special }.Where(File.Exists)]);
        _config = File.Exists(config) ? JsonFile.ReadPython(config) : [];

        // As transformers: the map of special tokens counts before the configuration, unless that lists the tokens added.
        _special = File.Exists(special) && Added is null ? JsonFile.ReadPython(special) : [];
        Length = this["model_max_length"] is { ValueKind: JsonValueKind.Number } given && given.TryGetInt32(out int number)
            ? number : null; // transformers writes 1e30 for "any"
    }

    /// <summary>Of the configuration, for messages.</summary>
    public string Path { get; }

    /// <summary>The files that are there.</summary>
    public IReadOnlyList<string> Files { get; }

    /// <summary>Tokens of an encoder's input, 3 or more; null where nothing is said.</summary>
    public int? Length { get; }

    /// <summary>The tokens that were added to the vocabulary, by their ids; null where they are not listed.</summary>
    public JsonElement? Added => this["added_tokens_decoder"];

    /// <summary>A setting; null where it is missing or null.</summary>
    public JsonElement? this[string key]
        => _config.TryGetValue(key, out var given) && given.ValueKind != JsonValueKind.Null ? given : null;

    /// <param name="classes">The tokenizers that are known.</param>
    public static TokenizerSettings Read(string folder, IReadOnlyList<string> classes)
    {
        var settings = new TokenizerSettings(folder);
        if (OtherNetworks.Text(settings._config, "tokenizer_class") is string name && !classes.Contains(name))
        {
            throw new InvalidInputException(
                $"{settings.Path} describes a {Printable.Line(name, 60)}; read is {string.Join(" or ", classes)}.");
        }

        return settings.Length is < 3
            ? throw new InvalidInputException(
                $"{settings.Path}: model_max_length is {settings.Length}, too short for a text. Fetch the file again.") : settings;
    }

    /// <summary>A special token, <c>pad_token</c> for instance; null where none is named.</summary>
    public string? Token(string key) => Token(_special, key) ?? Token(_config, key);

    private static string? Token(Dictionary<string, JsonElement> given, string key)
        => !given.TryGetValue(key, out var token) ? null
            : token.ValueKind == JsonValueKind.Object && token.TryGetProperty("content", out var content) ? OtherNetworks.Text(content)
            : OtherNetworks.Text(token);
}
