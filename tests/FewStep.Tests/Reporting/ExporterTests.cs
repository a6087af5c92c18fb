using System.Text.Json;
using System.Text.Json.Nodes;
using FewStep.Experiments;
using FewStep.Reporting;

namespace FewStep.Tests.Reporting;

public sealed class ExporterTests : FolderTests
{
    [Fact]
    public void The_console_has_one_table_of_all_trials_and_says_what_came_out()
    {
        var page = new ReportPage(SampleSummary.Full()) { IsBrief = true };
        var sections = ReportSections.Filled(page).ToList();
        Assert.Equal(["headline", "numbers", "warnings", "use"], sections.Select(s => s.Section.Id));
        ReportTable table = sections[1].Blocks.OfType<TableBlock>().Single().Table;
        Assert.Equal(["Schedule", "Tuning", "Solver", "FD ↓", "Behind the best", "recall ↑", "Steps", "NFE", "J, power 0", "J, power 1"],
            table.Columns.Select(c => c.Header));
        Assert.Equal(["Karras, rho 7", "–", "euler"], table.Rows[0].Cells.Take(3).Select(c => c.ToString()));
        Assert.Equal(SampleSummary.Full().Trials.Count, table.Rows.Count);
        Assert.All(table.Rows, r => Assert.Equal(table.Columns.Count, r.Cells.Count));
        Assert.Equal(CellMark.Best, table.Rows[7].Cells[3].Mark);
        Assert.Equal(("best", "–"), (table.Rows[7].Cells[4].Text, table.Rows[9].Cells[4].Text));
    }

    [Fact]
    public void Columns_that_nothing_fills_are_left_out_and_a_new_figure_has_its_own()
    {
        Summary full = SampleSummary.Full(), stored = SampleSummary.Stored();
        string[] Headers(Summary s) => [.. ReportSections.Filled(new ReportPage(s)).SelectMany(x => x.Blocks).OfType<TableBlock>()
            .First().Table.Columns.Select(c => c.Header)];
        Assert.Equal(["Images of", "FD ↓", "recall ↑", "Images"], Headers(stored));
        Summary more = full with
        {
            Figures = [.. full.Figures, new("sharpness", "sharpness", "sharpness", "Invented.")],
            Trials = [.. full.Trials.Select(t => t with
            {
                LossPower1 = null,
                Figures = new Dictionary<string, FigureValues>(t.Figures) { ["sharpness"] = SampleSummary.Values(7, 0.1, 5) }
            })],
        };
        Assert.Equal(
            ["Schedule", "Tuning", "Solver", "FD ↓", "recall ↑", "sharpness ↓", "Steps", "NFE", "J, power 0", "Images"], Headers(more));
        Assert.Contains("sharpness_values", string.Concat(CsvExporter.Lines(more)), StringComparison.Ordinal);
        Assert.Contains("| sharpness ↓ |", MarkdownExporter.Render(more), StringComparison.Ordinal);
    }

    [Fact]
    public void Of_more_trials_than_anybody_can_look_at_the_page_shows_the_best_and_the_files_have_all()
    {
        Summary steps = SampleSummary.Steps();
        TrialSummary[] many = [.. Enumerable.Range(0, 2000).Select(i => steps.Trials[i % steps.Trials.Count] with
        {
            Name = $"number {i}",
            Schedule = $"schedule {i}",
            Figures = new Dictionary<string, FigureValues>(steps.Trials[0].Figures) { ["fd"] = SampleSummary.Values(2000 - i, 0.1, 5) },
        })];
        many[0] = many[0] with { Role = TrialRole.Baseline };
        Summary summary = steps with
        {
            Trials = many,
            LeftOut = [.. Enumerable.Range(0, 300).Select(i => new LeftOutSummary(4, "euler", "It diverged.", $"cosine {i}"))],
        };
        var blocks = ReportSections.Filled(new ReportPage(summary)).SelectMany(s => s.Blocks).ToList();
        var tables = blocks.OfType<TableBlock>().Where(t => t.Caption.StartsWith("Trials", StringComparison.Ordinal)).ToList();
        Assert.Equal([334, 333, 333], tables.Select(t => t.Table.Rows.Count)); // the baseline as well
        Assert.Equal("schedule 0", tables[0].Table.Rows[0].Cells[0].Text);
        Assert.Contains(tables[2].Table.Rows, row => row.Cells[0].Text == "schedule 1997");
        Assert.Contains(blocks.OfType<TextBlock>(), t => t.Text.StartsWith("2,000 trials were measured.", StringComparison.Ordinal));
        Assert.Contains(blocks.OfType<ListBlock>(), l => l.Items[^1] == "Left out: 200 more, named in metrics.json.");
        Report.Write(summary, _folder.Root);
        Assert.Equal(2001, File.ReadLines(Path.Combine(_folder.Root, "metrics.csv")).Count());
        Assert.Equal(2000, JsonFile.Read<Summary>(Path.Combine(_folder.Root, Summary.FileName)).Trials.Count);
    }

    [Fact]
    public void The_table_of_costs_ends_with_their_sum()
    {
        ReportTable table = ReportSections.Filled(
            new ReportPage(SampleSummary.Full())).Single(s => s.Section.Id == "cost").Blocks.OfType<TableBlock>().Single().Table;
        Assert.Equal(["all stages", "1,791,072", "1,480", "1 h 07 min"], table.Rows[^1].Cells.Select(c => c.Text));
    }

    [Fact]
    public void The_markdown_has_every_row_and_a_grid_for_each_number_and_figure_with_one_best_cell_each()
    {
        Summary full = SampleSummary.Comparison();
        full = full with { Trials = SampleSummary.Judge([.. full.Trials.Where(t => !t.IsTransfer)]) }; // a transfer has no cell
        string page = MarkdownExporter.Render(full with { Title = "a <b>|\nc" });
        Assert.StartsWith("# a &lt;b>| c\n", page, StringComparison.Ordinal);
        string[][] tables = [.. page.Split("\n\n").Where(p => p.StartsWith('|')).Select(p => p.TrimEnd('\n').Split('\n'))];
        Assert.Equal(
            full.Trials.Count, tables.Where(t => t[0].StartsWith("| Schedule |", StringComparison.Ordinal)).Sum(t => t.Length - 2));
        Assert.All(
            tables, t => Assert.Single(t.Select(l => l.Replace("\\|", "", StringComparison.Ordinal).Count(c => c == '|')).Distinct()));
        string[][] grids = [.. tables.Where(t => t[0].StartsWith("| Solver |", StringComparison.Ordinal))];
        Assert.Equal(2 * 4, grids.Length);
        Assert.All(grids, g => Assert.Equal((2 + 5, 2), (g.Length, string.Join('\n', g).Split("**").Length - 1)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void The_csv_parses_back(bool isComparison)
    {
        Summary full = isComparison ? SampleSummary.Comparison() : SampleSummary.Full();
        var rows = CsvReader.Read(string.Concat(CsvExporter.Lines(full)));
        string[] header = [.. rows[0]];
        string Field(int row, string name) => rows[row + 1][Array.IndexOf(header, name)];
        double[] Numbers(int row, string name)
            => [.. Field(row, name).Split(' ').Select(v => double.Parse(v, CultureInfo.InvariantCulture))];
        Assert.Equal(full.Trials.Count + 1, rows.Count);
        Assert.All(rows, r => Assert.Equal(header.Length, r.Count));
        for (int i = 0; i < full.Trials.Count; i++)
        {
            TrialSummary trial = full.Trials[i];
            Assert.Equal((trial.Name, trial.Schedule, trial.FoundFor ?? "", trial.Tuning ?? "", trial.Solver),
                (Field(i, "trial"), Field(i, "schedule"), Field(i, "found_for"), Field(i, "tuning"), Field(i, "solver")));
            Assert.Equal(trial.Figures["fd"].Mean, Assert.Single(Numbers(i, "fd")));
            Assert.Equal(trial.Figures["fd"].Ranges.Select(r => r.Value), Numbers(i, "fd_values"));
            Assert.Equal(trial.Sigmas, Numbers(i, "sigmas"));
            Assert.Equal(trial.Verdicts.GetValueOrDefault("fd")?.Standing.ToString() ?? "", Field(i, "fd_standing"), ignoreCase: true);
        }
    }

    [Fact]
    public void Csv_text_is_quoted_and_never_a_formula()
    {
        Summary full = SampleSummary.Full();
        string text = string.Concat(CsvExporter.Lines(full with
        {
            Trials = [full.Trials[0] with
            {
                Name = "=SUM(A1)",
                Schedule = "@x",
                Tuning = "a \"b\", c\nd",
                Figures = new Dictionary<string, FigureValues> { ["fd"] = new([new(0, 1, double.NaN)]) }
            }],
        }));
        Assert.StartsWith(
            "baseline,4,'@x,,,standard,\"a \"\"b\"\", c d\",euler,4,4,,", text.Split('\n')[1], StringComparison.Ordinal);
        Assert.EndsWith(",'=SUM(A1)", text.Split('\n')[1], StringComparison.Ordinal);
        Assert.Equal(3, text.Split('\n').Length);
        Assert.DoesNotContain("NaN", text, StringComparison.Ordinal);
    }

    [Fact]
    public void The_json_is_the_summary_and_reads_back()
    {
        foreach (Summary summary in new[]
        { SampleSummary.Full(), SampleSummary.Comparison(), SampleSummary.Stored(), SampleSummary.Bare() })
        {
            JsonFile.Write(_folder.File(Summary.FileName), summary);
            Summary back = JsonFile.Read<Summary>(_folder.File(Summary.FileName));
            Assert.Equal(JsonSerializer.Serialize(summary, JsonFile.Options), JsonSerializer.Serialize(back, JsonFile.Options));
            Assert.Equal(HtmlExporter.Render(summary, SampleSummary.Png), HtmlExporter.Render(back, SampleSummary.Png));
        }
    }

    [Fact]
    public void Names_in_the_json_are_snake_case_and_the_derived_numbers_are_written()
    {
        Summary full = SampleSummary.Full();
        JsonFile.Write(_folder.File(Summary.FileName), full);
        JsonNode json = JsonNode.Parse(File.ReadAllText(_folder.File(Summary.FileName)))!;
        Assert.Equal(2, (int)json["format_version"]!);
        Assert.Equal("baseline", (string?)json["trials"]![0]!["role"]);
        Assert.Equal("sigma_min", (string?)json["trials"]![0]!["terminal"]);
        Assert.Equal(full.Trials[0].Figures["fd"].Mean, (double)json["trials"]![0]!["figures"]!["fd"]!["mean"]!);
        Assert.Equal("10.0.1", (string?)json["manifest"]!["versions"]![".NET"]);
    }

    [Theory]
    [InlineData("../secret.png")]
    [InlineData("/etc/hostname")]
    [InlineData("samples/../../x.png")]
    [InlineData("a\0b")]
    public void A_strip_outside_the_folder_is_refused(string path) =>
        Assert.Contains("not inside the run folder", Assert.Throws<InvalidInputException>(() => StripFile.Read(_folder.Root, path)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void A_strip_must_be_a_png()
    {
        File.WriteAllText(_folder.File("text.png"), "no picture");
        File.WriteAllBytes(_folder.File("short.png"), SampleSummary.Png("x")[..20]);
        File.WriteAllBytes(_folder.File("real.png"), SampleSummary.Png("x"));
        Assert.Null(StripFile.Read(_folder.Root, "text.png"));
        Assert.Null(StripFile.Read(_folder.Root, "short.png"));
        Assert.Null(StripFile.Read(_folder.Root, "absent/strip.png"));
        Assert.NotNull(StripFile.Read(_folder.Root, "real.png"));
    }
}
