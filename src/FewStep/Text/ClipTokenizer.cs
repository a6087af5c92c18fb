using System.Buffers;
using Microsoft.ML.Tokenizers;

namespace FewStep.Text;

/// <summary>CLIP's byte-pair tokenizer, from a folder with <c>vocab.json</c> and <c>merges.txt</c>. Safe to use from several
/// threads.</summary>
/// <remarks>
/// Texts are read as Hugging Face's <c>CLIPTokenizerFast</c> reads them: NFC, lower case, white space apart. The slow tokenizer with ftfy
/// also straightens quotes and resolves HTML entities, that without it parts Chinese characters; this one does neither.
/// </remarks>
internal sealed class ClipTokenizer : ITokenizer
{
    private const string VocabularyName = "vocab.json", MergesName = "merges.txt";
    private const string StartToken = "<|startoftext|>", EndToken = "<|endoftext|>", EndOfWord = "</w>";
    private const int MostTokens = 1 << 20, LongestToken = 256;
    private const long MostMergeBytes = 32 << 20;
    private const int DottedCapitalI = 0x130; // the one letter whose lower case is two characters

    private static readonly string[] Classes = ["CLIPTokenizer", "CLIPTokenizerFast"];
    private static readonly string[] Contractions = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"];
    private static readonly SearchValues<string> Special = SearchValues.Create([StartToken, EndToken], StringComparison.Ordinal);

    private readonly BpeTokenizer _pairs;

    private ClipTokenizer(BpeTokenizer pairs, int start, int end, int padding, int? length, string hash)
        => (_pairs, Start, End, Padding, Length, Hash) = (pairs, start, end, padding, length, hash);

    /// <summary>SHA-256 of the files that were read.</summary>
    public string Hash { get; }

    /// <summary>Id of the token that begins every text.</summary>
    public int Start { get; }

    /// <summary>Id of the token that ends every text.</summary>
    public int End { get; }

    /// <summary>Id that fills up to the length: the end token's, or that of <c>!</c> for encoders of OpenCLIP.</summary>
    public int Padding { get; }

    /// <summary>Tokens of an encoder's input; null where the folder does not say.</summary>
    public int? Length { get; }

    /// <summary>Opens a folder of the tokenizer.</summary>
    public static ClipTokenizer Open(string folder)
    {
        string vocabularyPath = Path.Combine(folder, VocabularyName), mergesPath = Path.Combine(folder, MergesName);
        foreach (string path in new[] { vocabularyPath, mergesPath })
        {
            if (!File.Exists(path))
            {
                throw new InvalidInputException($"{folder} is no tokenizer of CLIP: {Path.GetFileName(path)} is missing. Fetch the "
                    + "tokenizer's folder again.");
            }
        }

        var vocabulary = Vocabulary(vocabularyPath);
        var merges = Merges(mergesPath, vocabulary);
        var settings = TokenizerSettings.Read(folder, Classes);
        int Id(string token) => vocabulary.TryGetValue(token, out int id) ? id
            : throw new InvalidInputException($"{vocabularyPath} lacks the token {Printable.Text(token)}. Fetch the tokenizer again.");
        var pairs = BpeTokenizer.Create(new BpeOptions(vocabulary)
        {
            Merges = merges,
            ByteLevel = true,
            EndOfWordSuffix = EndOfWord,
            UnknownToken = EndToken,
        });
        return new ClipTokenizer(pairs, Id(StartToken), Id(EndToken), Id(settings.Token("pad_token") ?? EndToken), settings.Length,
            Sha256.OfFiles([vocabularyPath, mergesPath, .. settings.Files]));
    }

    /// <summary>Ids of a text, start and end included, as many as it has.</summary>
    public IReadOnlyList<int> Encode(string text)
    {
        string normal = Normal(text);
        var ids = new List<int> { Start };
        int from = 0;
        while (normal.AsSpan(from).IndexOfAny(Special) is >= 0 and int distance)
        {
            int at = from + distance;
            bool start = normal.AsSpan(at).StartsWith(StartToken, StringComparison.Ordinal);
            Add(ids, normal[from..at]);
            ids.Add(start ? Start : End);
            from = at + (start ? StartToken : EndToken).Length;
        }

        Add(ids, normal[from..]);
        ids.Add(End);
        return ids;
    }

    private void Add(List<int> ids, string text)
    {
        foreach (var (start, length) in Words(text))
        {
            ids.AddRange(
                _pairs.EncodeToIds(text.AsSpan(start, length), considerPreTokenization: false, considerNormalization: false));
        }
    }

    // Runs of letters, single digits, runs of other signs; a contraction's end is a word of its own. By whole characters: .NET's regular
    // expressions see the halves of those beyond U+FFFF.
    private static IEnumerable<(int Start, int Length)> Words(string text)
    {
        for (int at = 0; at < text.Length;)
        {
            int start = at;
            Kind kind = KindAt(text, at, out int width);
            at += width;
            if (kind == Kind.Space)
                continue;
            if (Array.Find(Contractions, end => string.CompareOrdinal(text, start, end, 0, end.Length) == 0) is string contraction)
            {
                at = start + contraction.Length;
            }
            else if (kind != Kind.Number)
            {
                while (at < text.Length && KindAt(text, at, out width) == kind)
                    at += width;
            }

            yield return (start, at - start);
        }
    }

    private static Kind KindAt(string text, int at, out int width)
    {
        var rune = Rune.GetRuneAt(text, at);
        width = rune.Utf16SequenceLength;
        return Rune.IsWhiteSpace(rune) ? Kind.Space : Rune.IsLetter(rune) ? Kind.Letter : Rune.IsNumber(rune) ? Kind.Number : Kind.Other;
    }

    private static string Normal(string text)
    {
        var lower = new StringBuilder(text.Length);
        foreach (Rune rune in CanonicalComposition.Of(text).EnumerateRunes()) // half a pair becomes U+FFFD
        {
            if (rune.Value == DottedCapitalI)
                lower.Append("i\u0307");
            else
                lower.Append(Rune.ToLowerInvariant(rune));
        }

        return lower.ToString();
    }

    private static Dictionary<string, int> Vocabulary(string path)
    {
        var vocabulary = JsonFile.Read<Dictionary<string, int>>(path);
        var ids = new HashSet<int>();
        foreach (var (token, id) in vocabulary)
        {
            if (id is < 0 or >= MostTokens || token.Length is 0 or > LongestToken || !ids.Add(id))
            {
                throw new InvalidInputException($"{path}: the token {Printable.Text(token)} has the id {id}, which is another's or makes "
                    + "no sense. Fetch the file again.");
            }
        }

        foreach (char sign in ByteSigns())
        {
            if (!vocabulary.ContainsKey(sign.ToString()) || !vocabulary.ContainsKey(sign + EndOfWord))
            {
                throw new InvalidInputException(
                    $"{path} lacks the token of a byte, '{sign}' or '{sign}{EndOfWord}', so it is no vocabulary of CLIP.");
            }
        }

        return vocabulary;
    }

    // How byte-level vocabularies write the 256 bytes: as the signs of Latin-1 that can be seen, the others from U+0100 on.
    private static IEnumerable<char> ByteSigns()
    {
        int others = 0;
        for (int value = 0; value < 256; value++)
            yield return (char)(value is >= '!' and <= '~' or >= 0xa1 and <= 0xac or >= 0xae ? value : 256 + others++);
    }

    private static List<string> Merges(string path, Dictionary<string, int> vocabulary)
    {
        var merges = new List<string>();
        var known = new HashSet<string>(StringComparer.Ordinal);
        int number = 0;
        foreach (string line in InputFile.ReadText(path, MostMergeBytes).Split('\n'))
        {
            number++;
            string merge = line.TrimEnd('\r');
            if (merge.Length == 0 || (number == 1 && merge.StartsWith("#version", StringComparison.Ordinal)))
                continue;
            int space = merge.IndexOf(' ', StringComparison.Ordinal);
            bool isPair = space > 0 && space < merge.Length - 1 && merge.IndexOf(' ', space + 1) < 0;
            if (!isPair || !vocabulary.ContainsKey(merge[..space]) || !vocabulary.ContainsKey(merge[(space + 1)..])
                || !vocabulary.ContainsKey(merge.Remove(space, 1)) || !known.Add(merge))
            {
                throw new InvalidInputException($"{path}, line {number}: {Printable.Text(merge)} is no pair of tokens that make a third, "
                    + $"or was there before. Fetch it again, and the {VocabularyName} beside it.");
            }

            merges.Add(merge);
        }

        return merges;
    }

    private enum Kind
    {
        Space,
        Letter,
        Number,
        Other,
    }
}
