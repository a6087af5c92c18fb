using FewStep.Checkpoints;

namespace FewStep.Text;

/// <summary>A unigram model of SentencePiece (Kudo 1804.10959), from its file: a text's pieces are those whose scores, logarithms of their
/// probabilities, add up to the most.</summary>
/// <remarks>Microsoft.ML.Tokenizers has such models too; it reads none without a token for the beginning of a text, as T5's are.</remarks>
internal sealed class SentencePieceModel
{
    private const char Space = '\u2581'; // how pieces write a space
    private const int MostBytes = 64 << 20, MostPieces = 1 << 20, LongestPiece = 256;
    private const float UnknownPenalty = 10; // below the least likely piece

    private readonly CharacterMap _characters;
    private readonly Dictionary<string, (int Id, float Score)> _pieces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _control = new(StringComparer.Ordinal);
    private readonly int _unknown, _longest;
    private readonly float _unknownScore;

    private SentencePieceModel(List<Piece> pieces, CharacterMap characters, string path)
    {
        _characters = characters;
        _unknown = -1;
        float least = float.MaxValue;
        for (int id = 0; id < pieces.Count; id++)
        {
            var (text, score, kind) = pieces[id];
            bool isNew = text.Length is > 0 and <= LongestPiece && float.IsFinite(score) && !_control.ContainsKey(text);
            isNew &= kind == PieceKind.Normal ? _pieces.TryAdd(text, (id, score)) : !_pieces.ContainsKey(text);
            if (kind is PieceKind.Control or PieceKind.Unknown)
                _control.Add(text, id);
            if (!isNew || (kind == PieceKind.Unknown && _unknown >= 0))
            {
                throw new InvalidInputException($"{path}: piece {id}, {Printable.Text(text)}, is there twice or makes no sense. Fetch the "
                    + "file again.");
            }

            if (kind == PieceKind.Normal)
                (least, _longest) = (Math.Min(least, score), Math.Max(_longest, text.Length));
            else if (kind == PieceKind.Unknown)
                _unknown = id;
            else if (kind is not (PieceKind.Control or PieceKind.Unused))
                throw Unknown(path, $"piece {id}, {Printable.Text(text)}, is of kind {(int)kind} (bytes or a user's symbols)");
        }

        if (_unknown < 0 || _pieces.Count == 0)
            throw new InvalidInputException($"{path} has no pieces, or none for unknown characters. Fetch the file again.");
        (Count, _unknownScore) = (pieces.Count, least - UnknownPenalty);
    }

    private enum PieceKind
    {
        Normal = 1,
        Unknown = 2,
        Control = 3,
        Unused = 5,
    }

    /// <summary>Number of pieces; ids are below.</summary>
    public int Count { get; }

    /// <summary>Pieces that no text is made of, by their names: the end of a text, what pads, what is unknown.</summary>
    public IReadOnlyDictionary<string, int> Control => _control;

    /// <summary>Reads a file, <c>spiece.model</c>.</summary>
    public static SentencePieceModel Read(string path)
    {
        const int pieceField = 1, trainer = 2, normalizer = 3;
        using var file = new ByteSource(InputFile.ReadAll(path, MostBytes), path);
        var pieces = new List<Piece>();
        var characters = CharacterMap.Read([], path);
        foreach (var field in ProtobufFields.Of(file))
        {
            if (field is not { Content: { } content })
                continue;
            if (field.Number == pieceField)
                pieces.Add(pieces.Count < MostPieces ? ReadPiece(content) : throw Unknown(path, "it has more than a million pieces"));
            else if (field.Number == trainer)
                CheckTrainer(content);
            else if (field.Number == normalizer)
                characters = ReadNormalizer(content);
        }

        return new SentencePieceModel(pieces, characters, path);
    }

    /// <summary>Ids of a text's pieces. What no piece holds is unknown, neighbours together.</summary>
    public IReadOnlyList<int> Encode(string text)
    {
        string normal = Encoding.UTF8.GetString(_characters.Normalised(text)).Replace(' ', Space).TrimEnd(Space);
        return normal.Length == 0 ? [] : Best(Space + normal);
    }

    // The best way to each place from places before it (Viterbi). Of equal ones the first; SentencePiece keeps sums in single precision,
    // and holds them against sums in double precision, which tells some that are all but equal.
    private List<int> Best(string text)
    {
        var best = new (float Score, int Start, int Id)[text.Length + 1];
        Array.Fill(best, (0, -1, 0), 1, text.Length);
        var pieces = _pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        for (int start = 0; start < text.Length;)
        {
            int next = start + (char.IsSurrogatePair(text, start) ? 2 : 1);
            float here = best[start].Score;
            bool isKnown = false;
            void Offer(int end, double sum, int id)
            {
                if (best[end].Start < 0 || sum > best[end].Score)
                    best[end] = ((float)sum, start, id);
            }

            for (int end = start + 1; end <= Math.Min(text.Length, start + _longest); end++)
            {
                if (!pieces.TryGetValue(text.AsSpan(start, end - start), out var piece))
                    continue;
                Offer(end, (double)here + piece.Score, piece.Id);
                isKnown |= end == next;
            }

            if (!isKnown)
                Offer(next, here + _unknownScore, _unknown);
            start = next;
        }

        var ids = new List<int>();
        for (int end = text.Length; end > 0; end = best[end].Start)
        {
            if (best[end].Id != _unknown || ids.Count == 0 || ids[^1] != _unknown)
                ids.Add(best[end].Id);
        }

        ids.Reverse();
        return ids;
    }

    private static Piece ReadPiece(ByteSource message)
    {
        string text = "";
        float score = 0;
        var kind = PieceKind.Normal;
        foreach (var field in ProtobufFields.Of(message))
        {
            if (field is { Number: 1, Content: { } content })
                text = Encoding.UTF8.GetString(content.ToArray(4 * LongestPiece));
            else if (field.Number == 2)
                score = BitConverter.UInt32BitsToSingle((uint)(field.Value & uint.MaxValue));
            else if (field.Number == 3)
                kind = (PieceKind)Math.Min(field.Value, byte.MaxValue);
        }

        return new Piece(text, score, kind);
    }

    private static void CheckTrainer(ByteSource message)
    {
        const int unigram = 1;
        foreach (var (number, value, _) in ProtobufFields.Of(message))
        {
            string? other = (number, value) switch
            {
                (3, not unigram) => InvariantText.Of($"its model_type is {value}, not {unigram} (unigram)"),
                (24, not 0) => "its spaces end words (treat_whitespace_as_suffix)",
                (35, not 0) => "it writes unknown characters as bytes (byte_fallback)",
                _ => null,
            };
            if (other is not null)
                throw Unknown(message.Name, other);
        }
    }

    private static CharacterMap ReadNormalizer(ByteSource message)
    {
        var characters = CharacterMap.Read([], message.Name);
        foreach (var (number, value, content) in ProtobufFields.Of(message))
        {
            if (number == 2 && content is not null)
            {
                characters = CharacterMap.Read(content.ToArray(MostBytes), message.Name);
            }
            else if (number is 3 or 4 or 5 && value == 0)
            {
                throw Unknown(
                    message.Name, "it keeps spaces as they are (add_dummy_prefix, remove_extra_whitespaces or escape_whitespaces)");
            }
        }

        return characters;
    }

    private static InvalidInputException Unknown(string path, string what)
        => new($"{path}: {what}; known are unigram models as T5's. Take the tokenizer of the text encoder's own folder.");

    private readonly record struct Piece(string Text, float Score, PieceKind Kind);
}
