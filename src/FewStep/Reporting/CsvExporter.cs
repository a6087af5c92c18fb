using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>The trials as comma-separated values (RFC 4180): full precision, decimal points, empty where a number is missing.</summary>
/// <remarks>Text that a spreadsheet would take for a formula starts with an apostrophe.</remarks>
internal static class CsvExporter
{
    /// <summary>The lines of the file, each ended by a line feed and made when it is asked for.</summary>
    public static IEnumerable<string> Lines(Summary summary)
    {
        TrialColumn[] columns = [.. Columns(summary)];
        return summary.Trials.Select(t => columns.Select(c => c.IsNumeric ? c.Cell(t).Text : Text(c.Cell(t).Text)))
            .Prepend(columns.Select(c => Text(c.Header))).Select(fields => string.Join(',', fields) + "\n");
    }

    private static IEnumerable<TrialColumn> Columns(Summary summary)
    {
        IReadOnlyList<RangeValue> Ranges(TrialSummary t)
            => summary.Figures.Select(f => t.Figures.GetValueOrDefault(f.Key)?.Ranges).FirstOrDefault(r => r is not null) ?? [];
        return
        [
            Word("role", t => EnumName.Of(t.Role)),
            Number("number", t => t.Number),
            Word("schedule", t => t.Schedule),
            Word("file", t => t.File),
            Word("found_for", t => t.FoundFor),
            Word("source", t => t.Schedule is null ? null : EnumName.Of(t.Source)),
            Word("tuning", t => t.Tuning),
            Word("solver", t => t.Solver),
            Number("steps", t => t.Steps),
            Number("evaluations_per_image", t => t.EvaluationsPerImage),
            .. summary.Figures.SelectMany(Figure),
            Number("images_per_range", t => Ranges(t) is { Count: > 0 } ranges ? ranges.Min(r => r.Images) : null),
            Numbers("first_seeds", t => Ranges(t).Select(r => (double)r.FirstSeed)),
            .. Estimate("j_power_0", t => t.LossPower0),
            .. Estimate("j_power_1", t => t.LossPower1),
            Number("seconds", t => t.Seconds),
            Word("images_hash", t => t.ImagesHash),
            Word("terminal", t => t.Sigmas.Count == 0 ? null : EnumName.Of(t.Terminal)),
            Numbers("sigmas", t => t.Sigmas),
            Word("trial", t => t.Name),
        ];
    }

    private static IEnumerable<TrialColumn> Figure(FigureSummary figure)
    {
        string key = figure.Key;
        FigureValues? Values(TrialSummary t) => t.Figures.GetValueOrDefault(key);
        Verdict? Verdict(TrialSummary t) => t.Verdicts.GetValueOrDefault(key);
        return
        [
            Number(key, t => Values(t)?.Mean),
            Number($"{key}_spread", t => Values(t)?.Spread),
            Number($"{key}_inner_deviation", t => Values(t)?.InnerDeviation),
            Numbers($"{key}_values", t => Values(t)?.Ranges.Select(r => r.Value) ?? []),
            Word($"{key}_standing", t => Verdict(t) is { } v ? EnumName.Of(v.Standing) : null),
            Number($"{key}_behind", t => Verdict(t)?.Difference),
            Number($"{key}_behind_half_width", t => Verdict(t)?.HalfWidth),
        ];
    }

    private static TrialColumn[] Estimate(string name, Func<TrialSummary, EstimateSummary?> estimate) =>
        [Number(name, t => estimate(t)?.Value), Number($"{name}_low", t => estimate(t)?.Low),
            Number($"{name}_high", t => estimate(t)?.High)];

    private static TrialColumn Word(string header, Func<TrialSummary, string?> text) => new(header, false, t => new(text(t) ?? ""));
    private static TrialColumn Number(string header, Func<TrialSummary, double?> number) => new(header, true, t => new(Text(number(t))));

    private static TrialColumn Numbers(string header, Func<TrialSummary, IEnumerable<double>> numbers) =>
        new(header, true, t => new(string.Join(' ', numbers(t).Select(n => Text(n)))));

    private static string Text(double? value) => value is { } v && double.IsFinite(v) ? v.ToString("R", CultureInfo.InvariantCulture) : "";

    private static string Text(string text)
    {
        string line = PlainText.OneLine(text);
        line = line.Length > 0 && "=+-@".Contains(line[0], StringComparison.Ordinal) ? "'" + line : line;
        return line.AsSpan().IndexOfAny(",\" ") < 0 ? line : $"\"{line.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }
}
