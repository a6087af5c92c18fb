namespace FewStep.Text;

/// <summary>Turns texts into the ids that a text encoder reads. Safe to use from several threads.</summary>
internal interface ITokenizer
{
    /// <summary>SHA-256 of the files that were read.</summary>
    string Hash { get; }

    /// <summary>Id of the token that ends every text.</summary>
    int End { get; }

    /// <summary>Id that fills up to a length.</summary>
    int Padding { get; }

    /// <summary>Tokens of an encoder's input; null where the folder does not say.</summary>
    int? Length { get; }

    /// <summary>Ids of a text, the end included, as many as it has.</summary>
    IReadOnlyList<int> Encode(string text);
}

/// <summary>Texts of one length.</summary>
internal static class TokenPadding
{
    /// <summary>Ids filled up with <see cref="ITokenizer.Padding"/>; of longer ones those before the end token are cut.</summary>
    public static long[] Padded(this ITokenizer tokenizer, IReadOnlyList<int> ids, int length)
        => ids.Count > length ? [.. ids.Take(length - 1).Select(id => (long)id), tokenizer.End]
            : [.. ids.Select(id => (long)id), .. Enumerable.Repeat((long)tokenizer.Padding, length - ids.Count)];
}
