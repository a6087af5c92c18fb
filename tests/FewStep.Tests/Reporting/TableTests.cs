using FewStep.Reporting;
using FewStep.Experiments;

namespace FewStep.Tests.Reporting;

public class TableTests
{
    [Fact]
    public void The_console_table_has_what_a_person_compares()
    {
        ReportTable table = ConsoleTable.Evaluations(SampleSummary.Full());
        Assert.Equal(["Schedule", "Tuning", "Solver", "NFE", "FD ± spread", "J, power 0", "J, power 1"], table.Columns.Select(c => c.Header));
        Assert.Equal(["Karras, rho 7", "–", "euler", "4", "55.30 ± 0.83", "1.910 [1.887, 1.933]", "0.3100 [0.3038, 0.3162]"], table.Rows[0].Select(c => c.ToString()));
        Assert.All(table.Rows, r => Assert.Equal(table.Columns.Count, r.Count));
    }

    [Fact]
    public void Columns_that_nothing_fills_are_left_out()
    {
        RunSummary full = SampleSummary.Full();
        ReportTable table = ConsoleTable.Evaluations(full with { Evaluations = [.. full.Evaluations.Select(e => e with { LossPower1 = null, Distance = null })] });
        Assert.Equal(["Schedule", "Tuning", "Solver", "NFE", "J, power 0"], table.Columns.Select(c => c.Header));
    }

    [Fact]
    public void The_ledger_ends_with_its_sum()
    {
        ReportTable table = ConsoleTable.Ledger(SampleSummary.Full());
        Assert.Equal(["all stages", "1,791,072", "1,480", "1 h 07 min"], table.Rows[^1].Select(c => c.Text));
    }

    [Fact]
    public void Terminal_escapes_do_not_reach_the_terminal()
    {
        RunSummary full = SampleSummary.Full();
        ReportTable table = ConsoleTable.Evaluations(full with { Evaluations = [full.Evaluations[0] with { Schedule = "a\u001b[2J\nb", Tuning = " " }] });
        Assert.Equal("a\uFFFD[2J b", table.Rows[0][0].Text);
        Assert.Equal("–", table.Rows[0][1].Text);
        Assert.All(ConsoleTable.Headline(full with { Metric = full.Metric with { Name = "\u001b]0;x\u0007" } }), s => Assert.DoesNotContain('\u001b', s));
    }

    [Fact]
    public void The_csv_has_full_precision_and_as_many_fields_in_each_line()
    {
        RunSummary full = SampleSummary.Full();
        string[] lines = MetricsCsv.Render(full with { Evaluations = [.. full.Evaluations.Select(e => e with { Schedule = e.Schedule.Replace(", ", " ") })], Schedules = [full.Schedules[1]] }).TrimEnd('\n').Split('\n');
        Assert.Equal(full.Evaluations.Count + 1, lines.Length);
        Assert.All(lines, l => Assert.Equal(lines[0].Split(',').Length, l.Split(',').Length));
        Dictionary<string, string> row = lines[0].Split(',').Zip(lines[2].Split(',')).ToDictionary(p => p.First, p => p.Second);
        Assert.Equal("log-SNR", row["schedule"]);
        Assert.Equal("80 5.657 0.4 0.02828 0.002", row["sigmas"]);
        Assert.Equal("5", row["ranges"]);
        Assert.Equal(full.Evaluations[1].Distance!.Mean, double.Parse(row["mean"], System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Csv_text_is_quoted_and_never_a_formula()
    {
        RunSummary full = SampleSummary.Full();
        string text = MetricsCsv.Render(full with { Evaluations = [full.Evaluations[0] with { Schedule = "=SUM(A1)", Tuning = "a \"b\", c\nd", Distance = new([new(0, 1, double.NaN)]) }] });
        Assert.StartsWith("'=SUM(A1),\"a \"\"b\"\", c d\",euler,baseline,4,4,", text.Split('\n')[1]);
        Assert.Equal(3, text.Split('\n').Length);
        Assert.DoesNotContain("NaN", text);
    }

    [Fact]
    public void Tables_and_csv_are_the_same_in_every_culture() =>
        Assert.Single(Cultures.All.Select(c => Cultures.In(c, () =>
            MetricsCsv.Render(SampleSummary.Full()) + string.Join('\n', ConsoleTable.Evaluations(SampleSummary.Full()).Rows.Concat(ConsoleTable.Ledger(SampleSummary.Full()).Rows).Select(r => string.Join('|', r))))).Distinct());
}
