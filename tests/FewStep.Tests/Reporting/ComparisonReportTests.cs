using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FewStep.Reporting;
using FewStep.Experiments;

namespace FewStep.Tests.Reporting;

public class ComparisonReportTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void The_page_is_well_formed_and_has_every_section()
    {
        var page = XDocument.Parse(Render(SampleComparison.Full()));
        Assert.Equal(["warnings", "distance", "endpoint", "transfer", "images", "cells", "schedules", "searches", "cost", "manifest"], page.Descendants("section").Select(s => (string?)s.Attribute("id")));
        Assert.Equal(10, page.Descendants(Svg + "svg").Count(s => s.Attribute("role") is not null));
        string[] ids = [.. page.Descendants().Attributes("id").Select(a => a.Value)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(page.Descendants().Attributes("aria-labelledby").SelectMany(a => a.Value.Split(' ')), id => Assert.Contains(id, ids));
        // 5 solvers, of which Heun shares no numbers of steps with the others, at 4 numbers.
        Assert.Equal(4 * (4 * 3), page.Descendants("td").Count(t => ((string?)t.Attribute("class"))?.Split(' ').Any(c => c is "worse" or "better") == true));
        HtmlFile(SampleComparison.Full());
    }

    [Fact]
    public void Nothing_is_fetched_and_every_text_is_escaped()
    {
        const string evil = "<script>alert(1)</script>\"'& \u0007\u001b[31m\u202e\ud800";
        var full = SampleComparison.Full();
        var summary = full with
        {
            Title = evil,
            Metric = full.Metric! with { Name = evil, ShortName = evil, Description = evil },
            Teacher = full.Teacher! with { Solver = evil, Schedule = evil },
            Cells = [.. full.Cells.Select(c => c with { Schedule = evil + c.Schedule, Solver = evil + c.Solver, FoundFor = c.FoundFor is null ? null : evil + c.FoundFor })],
            LeftOut = [new(4, evil, evil, evil)],
            Searches = [.. full.Searches.Select(s => s with { Optimizer = evil, FoundFor = evil, Schedules = [s.Schedules[0] with { Objective = evil, Search = evil, StopReason = evil }] })],
            ImageStrips = [.. full.ImageStrips.Select(s => s with { Label = evil, Path = evil })],
        };
        string html = ComparisonReport.Render(summary, _ => null);
        Assert.DoesNotContain("<script", html);
        Assert.DoesNotContain('\u001b', html);
        Assert.DoesNotContain('\u202e', html);
        Assert.NotNull(XDocument.Parse(html));
        Assert.DoesNotMatch(new Regex("https?://(?!www\\.w3\\.org/2000/svg)|url\\(|@import|<link|javascript:", RegexOptions.IgnoreCase), Render(full));
    }

    [Fact]
    public void Texts_are_the_same_in_every_culture()
    {
        var full = SampleComparison.Full();
        Assert.Single(Cultures.All.Select(c => Cultures.In(c, () => Render(full))).Distinct());
        Assert.Single(Cultures.All.Select(c => Cultures.In(c, () => ComparisonCsv.Render(full))).Distinct());
        Assert.Single(Cultures.All.Select(c => Cultures.In(c, () => string.Join('\n', ComparisonTables.Sentences(full)))).Distinct());
    }

    [Fact]
    public void What_was_left_out_leaves_no_trace_and_failed_numbers_break_nothing()
    {
        var full = SampleComparison.Full();
        var bare = full with { Metric = null, Data = null, Cells = [.. full.Cells.Where(c => c.FoundFor is null).Select(c => c with { Distance = null, DistanceVerdict = null })], LeftOut = [], Searches = [], ImageStrips = [], Warnings = [] };
        Assert.Equal(["endpoint", "cells", "schedules", "cost", "manifest"], XDocument.Parse(Render(bare)).Descendants("section").Select(s => (string?)s.Attribute("id")));
        Assert.DoesNotContain("FD", ComparisonTables.Sentences(bare)[0], StringComparison.Ordinal);
        var failed = full with { Cells = [.. full.Cells.Select(c => c with { Distance = new([new(0, 10, double.NaN), new(10, 10, 1e9)]), Endpoint = new([new(0, 10, 0), new(10, 10, 0)]) })] };
        Assert.DoesNotMatch("NaN(?!\\.)|Infinity", Regex.Replace(Render(failed), "base64,[^\"]*|A sample holds NaN", ""));
    }

    [Fact]
    public void The_table_has_the_best_first_at_each_number_and_marks_it()
    {
        var full = SampleComparison.Full();
        var table = ComparisonTables.Cells(full);
        Assert.Equal(full.Cells.Count, table.Rows.Count);
        int[] numbers = [.. table.Rows.Select(r => int.Parse(r[2].Text, CultureInfo.InvariantCulture))];
        Assert.Equal(numbers.Order(), numbers);
        foreach (int number in full.Numbers)
        {
            Assert.Equal("best", table.Rows.First(r => r[2].Text == number.ToString(CultureInfo.InvariantCulture))[5].Text);
        }

        Assert.All(ComparisonTables.Sentences(full).Take(4), s => Assert.Matches("^At \\d+ evaluations, .* has the least FD, .*(ahead of|not decided)", s));
    }

    [Fact]
    public void The_markdown_has_a_table_for_each_number_and_metric_with_one_best_cell_each()
    {
        var full = SampleComparison.Full();
        string page = ComparisonMarkdown.Render(full with { Title = "a <b>" });
        Assert.StartsWith("# a &lt;b>\n", page, StringComparison.Ordinal);
        string[] tables = page.Split("\n## ")[1..];
        Assert.Equal((2 * full.Numbers.Count) + 1, tables.Length);
        foreach (var (table, index) in tables.SkipLast(1).Select((t, i) => (t, i)))
        {
            int number = full.Numbers[index % full.Numbers.Count];
            var cells = full.Cells.Where(c => c.Number == number && !c.IsTransfer).ToArray();
            string[] rows = [.. table.Split('\n').Where(l => l.StartsWith('|'))];
            Assert.Equal(2 + cells.Select(c => c.Solver).Distinct().Count(), rows.Length);
            Assert.All(rows, r => Assert.Equal(2 + cells.Select(c => c.Schedule).Distinct().Count(), r.Count(c => c == '|')));
            Assert.Equal(cells.Count(c => (index < full.Numbers.Count ? c.DistanceVerdict : c.EndpointVerdict)?.Standing == ComparisonStanding.Best), table.Split("**").Length / 2);
        }
    }

    [Fact]
    public void The_csv_parses_back()
    {
        var full = SampleComparison.Full();
        var rows = CsvReader.Read(ComparisonCsv.Render(full));
        string[] header = [.. rows[0]];
        string Field(int row, string name) => rows[row + 1][Array.IndexOf(header, name)];
        Assert.Equal(full.Cells.Count + 1, rows.Count);
        Assert.All(rows, r => Assert.Equal(header.Length, r.Count));
        for (int i = 0; i < full.Cells.Count; i++)
        {
            var cell = full.Cells[i];
            Assert.Equal((cell.Schedule, cell.FoundFor ?? "", cell.Solver), (Field(i, "schedule"), Field(i, "found_for"), Field(i, "solver")));
            Assert.Equal(cell.Distance!.Mean, double.Parse(Field(i, "distance"), CultureInfo.InvariantCulture));
            Assert.Equal(cell.Endpoint!.Ranges.Select(r => r.Value), Field(i, "endpoint_values").Split(' ').Select(v => double.Parse(v, CultureInfo.InvariantCulture)));
            Assert.Equal(cell.Sigmas, Field(i, "sigmas").Split(' ').Select(v => double.Parse(v, CultureInfo.InvariantCulture)));
            Assert.Equal(cell.DistanceVerdict!.Standing.ToString(), Field(i, "distance_standing"), ignoreCase: true);
        }
    }

    [Fact]
    public void The_summary_survives_its_file()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "sample-comparison", ComparisonSummaryFile.Name);
        var full = SampleComparison.Full();
        ComparisonSummaryFile.Write(path, full);
        Assert.Equal(Render(full), Render(ComparisonSummaryFile.Read(path)));
    }

    // Next to the test's binaries, where a person can open it.
    private static void HtmlFile(ComparisonSummary summary) =>
        FewStep.Platform.AtomicFile.WriteText(Path.Combine(AppContext.BaseDirectory, "sample-comparison", ComparisonReport.Name), Render(summary));

    private static string Render(ComparisonSummary summary) => ComparisonReport.Render(summary, SampleSummary.Png);
}
