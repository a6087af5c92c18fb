using System.Text.RegularExpressions;
using System.Xml.Linq;
using FewStep.Reporting;
using FewStep.Experiments;
using FewStep.Platform;

namespace FewStep.Tests.Reporting;

public class HtmlReportTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    [Fact]
    public void The_full_report_is_well_formed_and_has_every_section()
    {
        XDocument page = Parse(SampleSummary.Full());
        Assert.Equal(["warnings", "results", "images", "schedules", "loss-curve", "tuning", "cost", "manifest"], page.Descendants("section").Select(s => (string?)s.Attribute("id")));
        Assert.Equal(8, page.Descendants(Svg + "svg").Count(s => s.Attribute("role") is not null));
    }

    [Fact]
    public void A_bare_run_leaves_out_what_it_has_not()
    {
        XDocument page = Parse(SampleSummary.Bare());
        Assert.Equal(["manifest"], page.Descendants("section").Select(s => (string?)s.Attribute("id")));
        Assert.Contains("no result", page.Descendants("header").Single().Value);
    }

    [Fact]
    public void Charts_name_and_describe_themselves_by_ids_that_are_unique()
    {
        XDocument page = Parse(SampleSummary.Full());
        string[] ids = [.. page.Descendants().Attributes("id").Select(a => a.Value)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        foreach (XAttribute reference in page.Descendants().Attributes("aria-labelledby"))
        {
            Assert.All(reference.Value.Split(' '), id => Assert.Contains(id, ids));
        }
    }

    [Fact]
    public void Nothing_is_fetched_from_outside()
    {
        string html = Render(SampleSummary.Full());
        XDocument page = XDocument.Parse(html);
        Assert.DoesNotMatch(new Regex("https?://(?!www\\.w3\\.org/2000/svg)|url\\(|@import|<script|<link|javascript:", RegexOptions.IgnoreCase), html);
        Assert.All(page.Descendants().Attributes().Where(a => a.Name.LocalName is "src" or "href"), a => Assert.StartsWith("data:image/png;base64,", a.Value));
        Assert.Contains("default-src 'none'", html);
    }

    [Fact]
    public void Every_text_is_escaped()
    {
        const string evil = "<script>alert(1)</script>\"'& \u0007\u001b[31m\u202e\ud800";
        RunSummary full = SampleSummary.Full();
        RunSummary summary = full with
        {
            Title = evil,
            Model = full.Model with { Name = evil, Preconditioning = evil, Hash = evil },
            Data = full.Data! with { Name = evil, Hash = evil },
            Metric = full.Metric with { Name = evil, ShortName = evil, Description = evil },
            Schedules = [.. full.Schedules.Select(s => s with { Name = evil + s.Name })],
            Evaluations = [.. full.Evaluations.Select(e => e with { Schedule = evil + e.Schedule, Tuning = evil, Solver = evil })],
            ImageStrips = [.. full.ImageStrips.Select(s => s with { Label = evil, Schedule = evil, Solver = evil, Path = evil })],
            TuningRounds = [.. full.TuningRounds.Select(r => r with { Schedule = evil, Tuning = evil, Loss = evil, HeldOutMetric = evil, StopReason = evil })],
            Ledger = [.. full.Ledger.Select(l => l with { Stage = evil })],
            Warnings = [evil],
            Manifest = full.Manifest with { Version = evil, CommandLine = evil, Options = new Dictionary<string, string> { [evil] = evil } },
        };
        string html = HtmlReport.Render(summary, _ => null);
        XDocument page = XDocument.Parse(html);
        Assert.DoesNotContain("<script", html);
        Assert.DoesNotContain('\u001b', html);
        Assert.DoesNotContain('\u202e', html);
        Assert.DoesNotContain(page.Descendants(), e => e.Name.LocalName == "script");
        Assert.Contains("<script>alert(1)</script>\"'&", page.Descendants("h1").Single().Value);
    }

    [Fact]
    public void The_text_is_the_same_in_every_culture()
    {
        string[] pages = [.. Cultures.All.Select(c => Cultures.In(c, () => Render(SampleSummary.Full())))];
        Assert.All(pages, p => Assert.Equal(pages[0], p));
    }

    [Fact]
    public void Numbers_that_failed_are_shown_as_missing_and_never_break_a_chart()
    {
        RunSummary full = SampleSummary.Full();
        RunSummary summary = full with
        {
            LossCurve = new() { Points = [new(0.1, double.NaN, double.NaN, double.NaN, double.NaN), new(1, 0.5, -0.1, double.PositiveInfinity, 0.5), new(10, 0, 0, 0, 0)] },
            Evaluations = [.. full.Evaluations.Select(e => e with { Distance = new([new(0, 10, double.NaN), new(10, 10, 3)]), LossPower0 = new(double.NaN, double.NaN, 1) })],
            Metric = full.Metric with { Floor = double.NaN },
            TuningRounds = [full.TuningRounds[0] with { Points = [new(0, double.NaN, double.NaN), new(1, double.PositiveInfinity, 2)], Seconds = double.NaN, BestUpdate = null }],
            Ledger = [new("x", long.MaxValue, 0, double.NaN)],
        };
        string html = Render(summary);
        Assert.DoesNotMatch("NaN|Infinity|∞", Regex.Replace(html, "base64,[^\"]*", ""));
        Assert.NotNull(XDocument.Parse(html));
    }

    [Fact]
    public void A_run_whose_numbers_all_failed_still_has_a_report()
    {
        RunSummary full = SampleSummary.Full();
        XDocument page = Parse(full with
        {
            LossCurve = new() { Points = [] },
            Evaluations = [.. full.Evaluations.Select(e => e with { Distance = new([]), LossPower0 = null, LossPower1 = null })],
            TuningRounds = [full.TuningRounds[0] with { Points = [] }],
            Schedules = [full.Schedules[0] with { Sigmas = [1, 0.5] }],
        });
        Assert.DoesNotContain("loss-curve", page.Descendants("section").Select(s => (string?)s.Attribute("id")));
        Assert.Contains("no curve", page.ToString());
    }

    [Fact]
    public void The_report_states_metric_floor_and_sample_size()
    {
        string text = Parse(SampleSummary.Full()).Root!.Value;
        Assert.Contains("FD (fashion features): Fréchet distance", text);
        Assert.Contains("FD 0.830 at 2,000 images", text);
        Assert.Contains("5 × 2,000", text);
        Assert.DoesNotContain("FID", text);
    }

    [Fact]
    public void The_floor_has_its_spread_and_promises_nothing()
    {
        RunSummary full = SampleSummary.Full();
        string text = Parse(full with { Metric = full.Metric with { FloorSpread = 0.04, FloorSubsets = 3 } }).Root!.Value;
        Assert.Contains("FD 0.830 ± 0.040 at 2,000 images, mean and standard deviation over 3 disjoint subsets. A sampler near it is as close to the reference as other real images are.", text);
    }

    [Fact]
    public void A_round_that_is_not_delivered_has_its_own_story()
    {
        RunSummary full = SampleSummary.Full();
        string text = Parse(full with { TuningRounds = [full.TuningRounds[0] with { IsKept = false, StopReason = "all updates were made." }, full.TuningRounds[1]] }).Root!.Value;
        Assert.Contains("best at update 800", text);
        Assert.Contains("stopped because: all updates were made. The run delivers the model of another round, whose samples are closer to the teacher's.", text);
        Assert.DoesNotContain("no weights were kept", text);
        Assert.Equal(2, text.Split("The run delivers the model of another round").Length);
    }

    [Fact]
    public void Sigmas_of_a_later_round_are_not_said_to_follow_from_the_curve_alone()
    {
        const string later = "Those of a later round follow the curve of the model that was tuned before it as well.";
        RunSummary full = SampleSummary.Full();
        Assert.DoesNotContain(later, Parse(full).Root!.Value);
        Assert.Contains(later, Parse(full with { Evaluations = [.. full.Evaluations.Select(e => e.Role == EvaluationRole.Result ? e with { Schedule = "Alternation, round 2" } : e)] }).Root!.Value);
    }

    [Fact]
    public void Time_is_that_of_the_clock_where_it_was_taken()
    {
        RunSummary full = SampleSummary.Full();
        Assert.Contains("1 h 07 min", Parse(full).Root!.Value); // the sum of the ledger: 4048.5 s
        Assert.Contains("2 h 00 min", Parse(full with { Manifest = full.Manifest with { Seconds = 7200 } }).Root!.Value);
    }

    [Fact]
    public void It_is_written_into_the_folder_with_the_strips_inside()
    {
        // Next to the test's binaries, where a person can open it.
        string folder = Path.Combine(AppContext.BaseDirectory, "sample-report");
        RunSummary summary = SampleSummary.Full();
        foreach (ImageStripSummary strip in summary.ImageStrips.Skip(1))
        {
            AtomicFile.Write(Path.Combine(folder, strip.Path), s => s.Write(SampleSummary.Png(strip.Path)));
        }

        HtmlReport.Write(summary, folder);
        XDocument page = XDocument.Load(Path.Combine(folder, HtmlReport.Name));
        Assert.Equal(summary.ImageStrips.Count - 1, page.Descendants("img").Count());
        Assert.Contains("The picture samples/karras.png is missing.", page.Root!.Value);
        AtomicFile.WriteText(Path.Combine(folder, "with-all-pictures.html"), Render(summary));
    }

    private static XDocument Parse(RunSummary summary) => XDocument.Parse(Render(summary));

    private static string Render(RunSummary summary) => HtmlReport.Render(summary, SampleSummary.Png);
}
