using System.Globalization;
using FewStep.Experiments;
using FewStep.Platform;

namespace FewStep.Reporting;

/// <summary>The trials as comma-separated values (RFC 4180): full precision, a point as decimal separator, empty where a number is missing.</summary>
/// <remarks>Text that a spreadsheet would take for a formula starts with an apostrophe.</remarks>
internal sealed class CsvExporter : ISummaryExporter
{
    private sealed record Column(string Header, bool IsNumeric, Func<TrialSummary, string> Value);

    public string FileName => "metrics.csv";

    public void Write(Summary summary, string folder) => AtomicFile.WriteText(Path.Combine(folder, FileName), Render(summary));

    /// <summary>The text of the file, with lines ended by a line feed.</summary>
    public static string Render(Summary summary) => Render(Table(summary));

    private static string Render(ReportTable table)
    {
        IEnumerable<IEnumerable<string>> lines =
        [
            table.Columns.Select(c => Text(c.Header)),
            .. table.Rows.Select(row => row.Cells.Zip(table.Columns, (cell, column) => column.IsNumeric ? cell.Text : Text(cell.Text))),
        ];
        return string.Concat(lines.Select(fields => string.Join(',', fields) + "\n"));
    }

    private static ReportTable Table(Summary summary)
    {
        Column[] columns = [.. Columns(summary)];
        return new(
            [.. columns.Select(c => new ReportColumn(c.Header, c.IsNumeric))],
            [.. summary.Trials.Select(t => new ReportRow([.. columns.Select(c => new ReportCell(c.Value(t)))]))]);
    }

    private static IEnumerable<Column> Columns(Summary summary)
    {
        FigureValues? Any(TrialSummary t) => summary.Figures.Select(f => t.Figures.GetValueOrDefault(f.Key)).FirstOrDefault(v => v is not null);
        return
        [
            new("trial", false, t => t.Name),
            new("role", false, t => Lower(t.Role)),
            new("number", true, t => Number(t.Number)),
            new("schedule", false, t => t.Schedule ?? ""),
            new("found_for", false, t => t.FoundFor ?? ""),
            new("source", false, t => t.Schedule is null ? "" : Lower(t.Source)),
            new("tuning", false, t => t.Tuning ?? ""),
            new("solver", false, t => t.Solver ?? ""),
            new("steps", true, t => Number(t.Steps)),
            new("evaluations_per_image", true, t => Number(t.EvaluationsPerImage)),
            .. summary.Figures.SelectMany(Figure),
            new("images_per_range", true, t => Number(Any(t) is { Ranges.Count: > 0 } v ? v.Ranges.Min(r => r.Images) : null)),
            new("first_seeds", true, t => Numbers(Any(t)?.Ranges.Select(r => (double)r.FirstSeed))),
            .. Estimate("j_power_0", t => t.LossPower0),
            .. Estimate("j_power_1", t => t.LossPower1),
            new("seconds", true, t => Number(t.Seconds)),
            new("images_hash", false, t => t.ImagesHash ?? ""),
            new("terminal", false, t => t.Sigmas.Count == 0 ? "" : Lower(t.Terminal)),
            new("sigmas", true, t => Numbers(t.Sigmas)),
        ];
    }

    private static IEnumerable<Column> Figure(FigureSummary figure)
    {
        string key = figure.Key;
        FigureValues? Values(TrialSummary t) => t.Figures.GetValueOrDefault(key);
        Verdict? Verdict(TrialSummary t) => t.Verdicts.GetValueOrDefault(key);
        return
        [
            new(key, true, t => Number(Values(t)?.Mean)),
            new($"{key}_spread", true, t => Number(Values(t)?.Spread)),
            new($"{key}_inner_deviation", true, t => Number(Values(t)?.InnerDeviation)),
            new($"{key}_values", true, t => Numbers(Values(t)?.Ranges.Select(r => r.Value))),
            new($"{key}_standing", false, t => Verdict(t) is { } v ? Lower(v.Standing) : ""),
            new($"{key}_behind", true, t => Number(Verdict(t)?.Difference)),
            new($"{key}_behind_half_width", true, t => Number(Verdict(t)?.HalfWidth)),
        ];
    }

    private static Column[] Estimate(string name, Func<TrialSummary, EstimateSummary?> estimate) =>
    [
        new(name, true, t => Number(estimate(t)?.Value)), new($"{name}_low", true, t => Number(estimate(t)?.Low)), new($"{name}_high", true, t => Number(estimate(t)?.High)),
    ];

    private static string Number(double? value) => value is { } v && double.IsFinite(v) ? v.ToString("R", CultureInfo.InvariantCulture) : "";

    private static string Numbers(IEnumerable<double>? values) => string.Join(' ', (values ?? []).Select(v => Number(v)));

    private static string Lower<T>(T value)
        where T : struct, Enum
        => value.ToString().ToLowerInvariant();

    private static string Text(string text)
    {
        string line = PlainText.OneLine(text);
        line = line.Length > 0 && "=+-@".Contains(line[0], StringComparison.Ordinal) ? "'" + line : line;
        return line.AsSpan().IndexOfAny(",\" ") < 0 ? line : $"\"{line.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
