using System.Text.RegularExpressions;
using System.Xml.Linq;
using CsCheck;
using FewStep.Reporting;
using FewStep.Reporting.Charts;
using FewStep.Experiments;

namespace FewStep.Tests.Reporting;

public class ChartTests
{
    private static readonly MethodStyle Style = new("m1", MarkerShape.Circle);
    private static readonly ChartSize[] Sizes = [ChartSize.Wide, ChartSize.Narrow];

    [Fact]
    public void Each_marked_sigma_is_a_point_on_the_fitted_curve_with_its_value_as_tooltip()
    {
        Summary summary = SampleSummary.Full();
        MarkedSchedule schedule = new(SampleSummary.Phase1, [80, 6.31, 1.97, 0.618, 0.002], Style);
        XElement chart = LossCurveChart.Draw(summary.LossCurve!, [schedule], ChartSize.Wide);
        XElement[] points = [.. chart.Descendants().Where(e => ((string?)e.Attribute("class"))?.StartsWith("point") == true)];
        Assert.Equal(schedule.Sigmas.Count, points.Length);
        Assert.Equal("Phase 1, power 0: σ[3] = 0.618", points[3].Value);

        // The curve rises with sigma, so the points go down the page from the last sigma to the first.
        double[] heights = [.. points.Select(p => double.Parse(p.Attribute("cy")!.Value, CultureInfo.InvariantCulture))];
        Assert.Equal(heights.Order(), heights);
    }

    [Fact]
    public void Nothing_is_drawn_outside_the_chart() =>
        Gen.Select(Gen.Double[-5, 4].List[2, 20], Gen.Double[-9, 3].List[1, 30], Gen.Bool, Gen.Bool)
            .Sample((sigmas, losses, toZero, isLinear) =>
        {
            const string name = "a name that is much too long for any chart, let alone a narrow one";
            double[] distinct = [.. sigmas.Select(s => Math.Pow(10, s)).Distinct().OrderDescending()];
            double sign = isLinear ? -1 : 1;
            LossCurveSummary curve = new([.. losses.Select(
                (l, i) => new LossPointSummary(0.002 * Math.Pow(2, i), Math.Pow(10, l), -1, Math.Pow(10, l) * 2, Math.Pow(10, l)))]);
            foreach (ChartSize size in Sizes)
            {
                CheckInside(LossCurveChart.Draw(curve, [new(name, distinct, Style)], size));
                ChartRow row = new(name, Style, [.. distinct.Select(s => new ChartRowPoint(sign * s, "tip", NumberText.Sigma(s)))])
                { ToZero = toZero, Joined = true, Note = "note" };
                CheckInside(new RowChart([row, row], size, (3, "reference"), isLinear).Draw("rows", "title", "axis"));
                CurvePanel panel = new(name, [new(name, Style, [.. distinct.Select((s, i) => new CurvePoint(i, sign * s, s / 2, "tip"))])]);
                CheckInside(new CurveChart([panel, panel], size, isLinear).Draw("curves", "title", "x", "y"));
            }
        }, iter: 50);

    [Fact]
    public void A_loss_curve_tells_every_marked_sigma_in_full()
    {
        MarkedSchedule marked = new("marked", [0.000821, 0.000456, 0.000123], Style);
        Assert.Contains("marked: 8.21e-4, 4.56e-4, 1.23e-4",
            LossCurveChart.Draw(SampleSummary.Full().LossCurve!, [marked], Sizes[0]).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_label_of_a_reference_is_inside_wherever_it_lies() =>
        Gen.Select(Gen.Double[-3, 3], Gen.Double[-3, 3]).Sample((value, reference) =>
        {
            foreach (ChartSize size in Sizes)
            {
                const string label = "floor 0.0123 ± 0.0045";
                ChartRow row = new("name", Style, [new ChartRowPoint(Math.Pow(10, value), "tip")]) { Note = "note" };
                XElement text = new RowChart([row], size, (Math.Pow(10, reference), label)).Draw("rows", "title", "axis").Descendants()
                    .Single(e => e.Value == label && e.Name.LocalName == "text");
                double x = double.Parse(text.Attribute("x")!.Value, CultureInfo.InvariantCulture), width = TextLabels.Width(label, 12);
                Assert.InRange((string?)text.Attribute("text-anchor") == "end" ? x - width : x + width, 0, size.Width);
            }
        }, iter: 30);

    [Fact]
    public void Tuning_marks_the_best_update_of_each_round_and_dashes_rounds_of_one_method()
    {
        Summary summary = SampleSummary.Full();
        foreach (ChartSize size in Sizes)
        {
            XElement chart = TuningChart.Draw(summary.TuningRounds, new MethodStyles(summary), size);
            CheckInside(chart);
            string[] rings =
                [.. chart.Descendants().Where(e => ((string?)e.Attribute("class"))?.StartsWith("minor") == true).Select(e => e.Value)];
            Assert.Equal(["round 1, best: update 800", "round 2, best: update 380", "round 1, best: update 720"],
                rings.Select(r => r[..r.LastIndexOf(',')]));
            Assert.Equal(["dash0", "dash1", "dash0"], Enumerable.Range(0, 3).Select(i => TuningChart.DashClass(summary.TuningRounds, i)));
        }
    }

    [Fact]
    public void Lines_break_where_a_number_is_missing()
    {
        XElement line = Svg.Polyline([(0, 0), (1, 1), (2, double.NaN), (3, 3), (4, 4)], "x");
        Assert.Equal("M0 0L1 1M3 3L4 4", line.Attribute("d")!.Value);
        Assert.Equal("", Svg.Band([(0, double.NaN, 1)], "x").Attribute("d")!.Value);
    }

    [Fact]
    public void A_method_looks_the_same_everywhere_and_unlike_the_others()
    {
        Summary summary = SampleSummary.Full();
        var styles = new MethodStyles(summary);
        Assert.Equal("m1", styles.Of(SampleSummary.Phase1, "trajectory").CssClass);
        Assert.Equal("m2", styles.Of(SampleSummary.Phase1, null).CssClass);
        Assert.Equal("standard", styles.Of(SampleSummary.Karras, null).CssClass);
        Assert.Equal("teacher", styles.Of(summary.Trials.Single(t => t.Role == TrialRole.Teacher)).CssClass);
        Assert.NotEqual("standard", styles.Of(SampleSummary.Karras, "trajectory").CssClass);
        foreach (Summary any in new[] { summary, SampleSummary.Comparison(), SampleSummary.Stored() })
        {
            MethodStyle[] looks = [.. any.Trials.DistinctBy(t => (t.Role == TrialRole.Teacher, t.Schedule ?? t.Name, t.Tuning))
                .Select(new MethodStyles(any).Of)];
            Assert.Equal(looks.Length, looks.Distinct().Count());
        }
    }

    [Fact]
    public void The_style_sheet_defines_every_colour_and_holds_nothing_that_XML_would_escape()
    {
        string css = FewStep.Reporting.Html.Asset.Style;
        Assert.DoesNotContain('<', css);
        Assert.DoesNotContain('>', css);
        Assert.DoesNotContain('&', css);
        foreach (string name in Regex.Matches(css, @"var\((--[a-z0-9-]+)\)").Select(m => m.Groups[1].Value).Distinct()
            .Where(n => n != "--method"))
        {
            Assert.True(Regex.Count(css, name + ":") == 2, $"{name} needs a light and a dark value.");
        }
    }

    private static void CheckInside(XElement chart)
    {
        double[] box = [.. chart.Attribute("viewBox")!.Value.Split(' ').Select(v => double.Parse(v, CultureInfo.InvariantCulture))];
        foreach (XElement element in chart.Descendants())
        {
            Assert.All(Coordinates(element, "x", "x1", "x2", "cx"), x => Assert.InRange(x, 0, box[2]));
            Assert.All(Coordinates(element, "y", "y1", "y2", "cy"), y => Assert.InRange(y, 0, box[3]));
            double[] path = [.. Regex.Matches((string?)element.Attribute("d") ?? "", @"-?[0-9.]+")
                .Select(m => double.Parse(m.Value, CultureInfo.InvariantCulture))];
            Assert.All(path.Where((_, i) => i % 2 == 0), x => Assert.InRange(x, 0, box[2]));
            Assert.All(path.Where((_, i) => i % 2 == 1), y => Assert.InRange(y, 0, box[3]));
        }
    }

    private static IEnumerable<double> Coordinates(XElement element, params string[] names) =>
        names.Select(n => (string?)element.Attribute(n)).OfType<string>().Select(v => double.Parse(v, CultureInfo.InvariantCulture));
}
