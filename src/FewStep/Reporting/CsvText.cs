using System.Globalization;

namespace FewStep.Reporting;

/// <summary>Fields of comma-separated values (RFC 4180): numbers in full precision with a point, empty where one is missing; text that a spreadsheet would take for a formula starts with an apostrophe.</summary>
internal static class CsvText
{
    /// <summary>A file: its header and its rows, lines ended by a line feed.</summary>
    public static string File(string header, IEnumerable<IEnumerable<string>> rows) => string.Concat(rows.Select(fields => string.Join(',', fields)).Prepend(header).Select(line => line + "\n"));

    public static string Number(double? value) => value is { } v && double.IsFinite(v) ? v.ToString("R", CultureInfo.InvariantCulture) : "";

    public static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);

    public static string Text(string text)
    {
        string line = PlainText.OneLine(text);
        line = line.Length > 0 && "=+-@".Contains(line[0], StringComparison.Ordinal) ? "'" + line : line;
        return line.AsSpan().IndexOfAny(",\" ") < 0 ? line : $"\"{line.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
