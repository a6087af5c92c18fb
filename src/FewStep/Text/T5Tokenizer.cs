using System.Buffers;

namespace FewStep.Text;

/// <summary>T5's tokenizer, from a folder with <c>spiece.model</c>. Safe to use from several threads.</summary>
/// <remarks>
/// Texts are read as SentencePiece reads them, with the tokens around them as transformers' <c>T5TokenizerFast</c> has them: a token that
/// is written out in a text (<c>&lt;extra_id_0&gt;</c>) is one, and what follows it begins as a text does.
/// </remarks>
internal sealed class T5Tokenizer : ITokenizer
{
    private const string ModelName = "spiece.model", EndToken = "</s>", PaddingToken = "<pad>";
    private const int UsualExtraTokens = 100, MostExtraTokens = 10_000, MostTokens = 1 << 20, LongestToken = 256;

    private static readonly string[] Classes = ["T5Tokenizer", "T5TokenizerFast"];

    private readonly SentencePieceModel _pieces;
    private readonly Dictionary<string, int> _tokens;
    private readonly SearchValues<string> _written;

    private T5Tokenizer(SentencePieceModel pieces, Dictionary<string, int> tokens, TokenizerSettings settings, string path)
    {
        int Id(string token) => tokens.TryGetValue(token, out int id) ? id
            : throw new InvalidInputException($"{path} lacks the token {Printable.Text(token)}. Fetch the tokenizer again.");
        (_pieces, _tokens, _written) = (pieces, tokens, SearchValues.Create([.. tokens.Keys], StringComparison.Ordinal));
        (End, Padding) = (Id(settings.Token("eos_token") ?? EndToken), Id(settings.Token("pad_token") ?? PaddingToken));
        (Length, Hash) = (settings.Length, Sha256.OfFiles([path, .. settings.Files]));
    }

    public string Hash { get; }
    public int End { get; }
    public int Padding { get; }
    public int? Length { get; }

    /// <summary>Opens a folder of the tokenizer.</summary>
    public static T5Tokenizer Open(string folder)
    {
        string path = Path.Combine(folder, ModelName);
        if (!File.Exists(path))
        {
            throw new InvalidInputException(
                $"{folder} is no tokenizer of T5: {ModelName} is missing. Fetch the tokenizer's folder again.");
        }

        var settings = TokenizerSettings.Read(folder, Classes);
        if (settings["add_prefix_space"] is { ValueKind: not JsonValueKind.True })
            throw Unknown(settings, "add_prefix_space", settings["add_prefix_space"]!.Value, "true");
        if (settings["sp_model_kwargs"] is { } given && !(given.ValueKind == JsonValueKind.Object && given.GetPropertyCount() == 0))
            throw Unknown(settings, "sp_model_kwargs", given, "{}");
        var pieces = SentencePieceModel.Read(path);
        return new T5Tokenizer(pieces, Tokens(pieces, settings), settings, path);
    }

    public IReadOnlyList<int> Encode(string text)
    {
        var ids = new List<int>();
        int from = 0;
        while (text.AsSpan(from).IndexOfAny(_written) is >= 0 and int distance)
        {
            int at = from + distance;
            string token = _tokens.Keys.Where(t => text.AsSpan(at).StartsWith(t, StringComparison.Ordinal)).MaxBy(t => t.Length)!;
            ids.AddRange(_pieces.Encode(text[from..at]));
            ids.Add(_tokens[token]);
            from = at + token.Length;
        }

        ids.AddRange(_pieces.Encode(text[from..]));
        ids.Add(End);
        return ids;
    }

    // The model's own that no text is made of, and those added behind its pieces: listed, or <extra_id_99> to <extra_id_0>.
    private static Dictionary<string, int> Tokens(SentencePieceModel pieces, TokenizerSettings settings)
    {
        var tokens = new Dictionary<string, int>(pieces.Control, StringComparer.Ordinal);
        if (settings.Added is { } added)
        {
            foreach (var (token, id) in Listed(added, settings))
                tokens[token] = id;
            return tokens;
        }

        int extra = UsualExtraTokens;
        if (settings["extra_ids"] is { } given
            && (given.ValueKind != JsonValueKind.Number || !given.TryGetInt32(out extra) || extra is < 0 or > MostExtraTokens))
        {
            throw Unknown(settings, "extra_ids", given, InvariantText.Of($"0 to {MostExtraTokens}"));
        }

        for (int i = 0; i < extra; i++)
            tokens[InvariantText.Of($"<extra_id_{i}>")] = pieces.Count + extra - 1 - i;
        return tokens;
    }

    private static IEnumerable<(string Token, int Id)> Listed(JsonElement added, TokenizerSettings settings)
    {
        if (added.ValueKind != JsonValueKind.Object)
            throw Unknown(settings, "added_tokens_decoder", added, "an object");
        foreach (var entry in added.EnumerateObject())
        {
            bool Is(string key) => entry.Value.TryGetProperty(key, out var flag) && flag.ValueKind == JsonValueKind.True;
            string? token = entry.Value.ValueKind == JsonValueKind.Object && entry.Value.TryGetProperty("content", out var content)
                ? Checkpoints.OtherNetworks.Text(content) : null;
            bool isId = int.TryParse(entry.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int id) && id < MostTokens;
            if (!isId || token is not { Length: > 0 and <= LongestToken } || Is("normalized") || Is("single_word"))
                throw Unknown(settings, $"added token {Printable.Line(entry.Name, 20)}", entry.Value, "texts that are found as they are");
            yield return (token, id);
        }
    }

    private static InvalidInputException Unknown(TokenizerSettings settings, string key, JsonElement value, string known)
        => new($"{settings.Path}: {key} is {Printable.Line(value.GetRawText(), 60)}; known is {known}.");
}
