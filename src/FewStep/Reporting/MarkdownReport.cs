using System.Text;
using FewStep.Experiments;
using FewStep.Platform;
using static FewStep.Reporting.MarkdownText;

namespace FewStep.Reporting;

/// <summary>The comparison as a Markdown page, for documentation that is kept with the code.</summary>
public static class MarkdownReport
{
    /// <summary>Name of the file in a run folder.</summary>
    public const string Name = "report.md";

    /// <summary>Writes the page whole or not at all.</summary>
    /// <param name="summary">What to tell.</param>
    /// <param name="folder">Receives <see cref="Name"/>.</param>
    public static void Write(RunSummary summary, string folder) => AtomicFile.WriteText(Path.Combine(folder, Name), Render(summary));

    /// <summary>The page.</summary>
    /// <param name="summary">What to tell.</param>
    public static string Render(RunSummary summary)
    {
        var page = new StringBuilder();
        void Line(string text = "") => page.Append(text).Append('\n');
        Line($"# {Inline(summary.Title)}");
        Line();
        foreach (string sentence in ConsoleTable.Headline(summary).Concat(ConsoleTable.Warnings(summary)))
        {
            Line($"- {Inline(sentence)}");
        }

        Line();
        AddTable(page, ConsoleTable.Evaluations(summary));
        Line();
        Line(Inline($"{summary.Metric.Name}: {summary.Metric.Description}"));
        if (FloorText.Sentence(summary.Metric) is string floor)
        {
            Line();
            Line(Inline(floor));
        }

        Line();
        AddTable(page, ConsoleTable.Ledger(summary));
        Line();
        Line($"Made by `{Inline(summary.Manifest.CommandLine ?? "the library")}` with version {Inline(summary.Manifest.Version)}, model `{summary.Model.Hash?[..12]}`, seed {FormattableString.Invariant($"{summary.Manifest.Seed}")}.");
        return page.ToString();
    }
}
