using System.Text.RegularExpressions;

namespace FewStep.Platform;

/// <summary>Says in the words of the file, not in those of the program, what is wrong with some JSON.</summary>
internal static partial class JsonProblem
{
    /// <summary>One line, without a full stop at its end.</summary>
    public static string Describe(JsonException failure) => Printable.Line(Sentence(failure));

    private static string Sentence(JsonException failure)
    {
        string text = failure.Message.ReplaceLineEndings(" ");
        if (Conversion().Match(text) is { Success: true } conversion)
            return $"{Name(failure.Path)} must be {Kind(conversion.Groups[1].Value)}";
        if (Unknown().Match(text) is { Success: true } unknown)
            return $"there is no setting '{unknown.Groups[1].Value}'";
        if (Missing().Match(text) is { Success: true } missing)
            return $"{(failure.Path is null or "$" ? "the content" : Name(failure.Path))} lacks {missing.Groups[1].Value.TrimEnd('.')}";
        if (Null().Match(text) is { Success: true } @null)
            return $"'{@null.Groups[1].Value}' must not be null";
        string where =
            failure.LineNumber is long line ? InvariantText.Of($" (line {line + 1}, byte {(failure.BytePositionInLine ?? 0) + 1})") : "";
        return Position().Replace(text, "").TrimEnd('.', ' ') + where;
    }

    private static string Name(string? path)
        => path is null or "$" ? "the content" : $"'{(path.StartsWith("$.", StringComparison.Ordinal) ? path[2..] : path)}'";

    private static string Kind(string type) => type switch
    {
        _ when type.Contains("[]", StringComparison.Ordinal) || type.Contains("List", StringComparison.Ordinal)
            || type.Contains("IEnumerable", StringComparison.Ordinal) => "a list",
        _ when type.Contains("Int32", StringComparison.Ordinal) || type.Contains("Int64", StringComparison.Ordinal) => "a whole number",
        _ when type.Contains("Double", StringComparison.Ordinal) || type.Contains("Single", StringComparison.Ordinal) => "a number",
        _ when type.Contains("Boolean", StringComparison.Ordinal) => "true or false",
        _ when type.Contains("String", StringComparison.Ordinal) => "text",
        _ when type.Contains("Date", StringComparison.Ordinal) => "a date",
        _ => "something else; it is no value that is known there",
    };

    [GeneratedRegex(@"could not be converted to (\S+?)\.?(\s|$)")]
    private static partial Regex Conversion();

    [GeneratedRegex(@"The JSON property '([^']*)' could not be mapped to any \.NET member")]
    private static partial Regex Unknown();

    [GeneratedRegex(@"was missing required properties including: (.+?)\.?(\s+Path:|$)")]
    private static partial Regex Missing();

    [GeneratedRegex(@"(?:property or field|constructor parameter|property) '(\w+)' .*null", RegexOptions.IgnoreCase)]
    private static partial Regex Null();

    [GeneratedRegex(@"\s*(Path: \S+ \| )?LineNumber: \d+ \| BytePositionInLine: \d+\.?\s*")]
    private static partial Regex Position();
}
