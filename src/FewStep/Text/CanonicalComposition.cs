namespace FewStep.Text;

/// <summary>Unicode's normalisation form C (Unicode Standard Annex 15): letters and marks as one character where there is one. .NET's own
/// does nothing where a program runs without cultures, as the command line does.</summary>
internal static class CanonicalComposition
{
    // Hangul syllables follow from their parts (Unicode Standard, section 3.12).
    private const int Syllables = 0xac00, Leads = 0x1100, Vowels = 0x1161, Trails = 0x11a7;
    private const int LeadCount = 19, VowelCount = 21, TrailCount = 28, SyllableCount = LeadCount * VowelCount * TrailCount;
    private const int FirstMark = 0x300; // nothing below is changed

    private static readonly Lazy<Table> Canonical = new(Table.Read);

    /// <summary>The text in form C.</summary>
    public static string Of(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange((char)FirstMark, char.MaxValue))
            return text;
        var table = Canonical.Value;
        var characters = new List<int>(text.Length);
        foreach (Rune rune in text.EnumerateRunes())
            table.Decompose(rune.Value, characters);
        Order(characters, table);
        var composed = new StringBuilder(text.Length);
        foreach (int character in Compose(characters, table))
            composed.Append(new Rune(character));
        return composed.ToString();
    }

    // Marks after a letter in the order of their classes, those of one class as they were.
    private static void Order(List<int> characters, Table table)
    {
        for (int at = 0; at < characters.Count;)
        {
            int start = at;
            while (at < characters.Count && table.Class(characters[at]) != 0)
                at++;
            if (at - start > 1)
            {
                int[] ordered = [.. characters[start..at].OrderBy(table.Class)];
                for (int i = 0; i < ordered.Length; i++)
                    characters[start + i] = ordered[i];
            }

            at++;
        }
    }

    private static List<int> Compose(List<int> characters, Table table)
    {
        var composed = new List<int>(characters.Count);
        int starter = -1, before = -1; // place of the last letter, class of the last mark that stayed behind it
        foreach (int character in characters)
        {
            int own = table.Class(character);
            if (starter >= 0 && before < own && table.Compose(composed[starter], character) is int joined)
            {
                composed[starter] = joined;
                continue;
            }

            if (own == 0)
                (starter, before) = (composed.Count, -1);
            else
                before = own;
            composed.Add(character);
        }

        return composed;
    }

    /// <summary>Canonical decompositions and combining classes of the Unicode Character Database, version 14.</summary>
    private sealed class Table
    {
        private readonly Dictionary<int, int[]> _parts = [];
        private readonly Dictionary<(int, int), int> _composed = [];
        private readonly Dictionary<int, int> _classes = [];

        public static Table Read()
        {
            var table = new Table();
            using var stream = typeof(CanonicalComposition).Assembly.GetManifestResourceStream("FewStep.Text.canonical.txt")!;
            using var reader = new StreamReader(stream);
            while (reader.ReadLine() is string line)
                table.Add(line);
            return table;
        }

        public int Class(int character) => _classes.GetValueOrDefault(character);

        public void Decompose(int character, List<int> into)
        {
            int syllable = character - Syllables;
            if (syllable is >= 0 and < SyllableCount)
            {
                into.Add(Leads + (syllable / (VowelCount * TrailCount)));
                into.Add(Vowels + (syllable / TrailCount % VowelCount));
                if (syllable % TrailCount > 0)
                    into.Add(Trails + (syllable % TrailCount));
            }
            else if (_parts.TryGetValue(character, out int[]? parts))
            {
                foreach (int part in parts)
                    Decompose(part, into);
            }
            else
            {
                into.Add(character);
            }
        }

        public int? Compose(int first, int second)
        {
            int lead = first - Leads, vowel = second - Vowels, syllable = first - Syllables, trail = second - Trails;
            if (lead is >= 0 and < LeadCount && vowel is >= 0 and < VowelCount)
                return Syllables + (((lead * VowelCount) + vowel) * TrailCount);
            if (syllable is >= 0 and < SyllableCount && syllable % TrailCount == 0 && trail is > 0 and < TrailCount)
                return first + trail;
            return _composed.TryGetValue((first, second), out int composed) ? composed : null;
        }

        // "#FROM TO CLASS", "CHARACTER PART PART", or with ! for one that is never composed again.
        private void Add(string line)
        {
            string[] words = line.TrimStart('#', '!').Split(' ');
            int[] codes = [.. words.Select(word => int.TryParse(word, NumberStyles.HexNumber, CultureInfo.InvariantCulture, out int code)
                ? code : throw new InvalidOperationException($"canonical.txt: {line}"))];
            if (line[0] == '#')
            {
                for (int character = codes[0]; character <= codes[1]; character++)
                    _classes[character] = int.Parse(words[2], CultureInfo.InvariantCulture);
                return;
            }

            _parts[codes[0]] = codes[1..];
            if (line[0] != '!')
                _composed[(codes[1], codes[2])] = codes[0];
        }
    }
}
