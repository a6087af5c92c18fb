using System.Security.Cryptography;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FewStep.Experiments;
using FewStep.Reporting;
using FewStep.Reporting.Html;

namespace FewStep.Tests.Reporting;

public class HtmlReportTests
{
    private const string Evil = "<script>alert(1)</script>\"'& \u0007\u001b[31m\u202e\ud800";
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    public static TheoryData<string, string, int> Samples => new()
    {
        { nameof(SampleSummary.Full), "images headline numbers charts schedules loss-curve tuning cost warnings data manifest use", 10 },
        { nameof(SampleSummary.Steps), "images headline numbers charts schedules data manifest use", 8 },
        {
            nameof(SampleSummary.Comparison),
            "images headline numbers grid charts schedules transfer searches cost warnings data manifest use",
            10
        },
        { nameof(SampleSummary.Stored), "headline numbers charts data manifest", 4 },
        { nameof(SampleSummary.Bare), "data manifest", 0 },
    };

    [Theory]
    [MemberData(nameof(Samples))]
    public void The_page_is_well_formed_and_has_each_section_that_has_something_to_show(string name, string sections, int charts)
    {
        string html = Render(Sample(name));
        var page = XDocument.Parse(html);
        Assert.Equal(sections.Split(' '), page.Descendants("section").Select(s => (string?)s.Attribute("id")));
        Assert.Equal(charts, page.Descendants(Svg + "svg").Count(s => s.Attribute("aria-labelledby") is not null));
        string[] ids = [.. page.Descendants().Attributes("id").Select(a => a.Value)];
        Assert.Equal(ids.Length, ids.Distinct().Count());
        Assert.All(page.Descendants().Attributes("aria-labelledby").SelectMany(a => a.Value.Split(' ')), id => Assert.Contains(id, ids));

        // Next to the test's binaries, where a person can open it.
        AtomicFile.WriteText(Path.Combine(AppContext.BaseDirectory, "sample-reports", $"{name}.html"), html);
    }

    [Theory]
    [MemberData(nameof(Samples))]
    public void Every_file_is_the_same_in_every_culture(string name, string sections, int charts)
    {
        Assert.NotEmpty(sections);
        Assert.True(charts >= 0);
        Summary summary = Sample(name);
        Assert.Single(Cultures.All.Select(
            c => Cultures.In(c, () => string.Concat(
                [Render(summary), MarkdownExporter.Render(summary), .. CsvExporter.Lines(summary)]))).Distinct());
    }

    [Fact]
    public void Fitted_samplers_of_one_folder_are_one_line_and_are_called_by_their_files()
    {
        Summary full = SampleSummary.Full();
        TrialSummary Fitted(int steps, string folder) => full.Trials[5] with
        {
            Name = InvariantText.Of($"{folder} {steps}"),
            File = InvariantText.Of($"{folder}/n{steps}"),
            Solver = InvariantText.Of($"fitted-{folder}{steps}"),
            Number = steps,
            Steps = steps,
            EvaluationsPerImage = steps,
        };
        string page = HtmlExporter.Render(full with
        {
            Trials = [full.Trials[0], Fitted(3, "fit"), Fitted(4, "fit"), Fitted(3, "other"), Fitted(4, "other")],
            ImageStrips = [],
        }, _ => null);
        Assert.Contains(">fit/n4<", page, StringComparison.Ordinal);
        Assert.Contains($"fitted, {SampleSummary.Phase1}, fit/: ", page, StringComparison.Ordinal); // the chart in words
        Assert.Contains($"fitted, {SampleSummary.Phase1}, other/: ", page, StringComparison.Ordinal);
        Assert.DoesNotContain($"fitted-fit3, {SampleSummary.Phase1}", page, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_fetched_and_only_the_page_s_own_script_runs()
    {
        string html = Render(SampleSummary.Full());
        var page = XDocument.Parse(html);
        Assert.DoesNotMatch(
            new Regex("https?://(?!www\\.w3\\.org/2000/svg)|url\\(|@import|<link|javascript:", RegexOptions.IgnoreCase), html);
        Assert.All(page.Descendants().Attributes().Where(a => a.Name.LocalName is "src" or "href"),
            a => Assert.Matches("^(data:image/png;base64,|#strip-[0-9]+$)", a.Value));
        string script = page.Descendants(
            "script").Single().Value, hash = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(script)));
        Assert.Contains(page.Descendants("meta"), m => ((string?)m.Attribute("content"))?.Contains(
            $"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{hash}'", StringComparison.Ordinal) == true);
        Assert.Contains($"<script>{script}</script>", html, StringComparison.Ordinal); // as HTML it is the text that was hashed
        Assert.Equal(-1, (Asset.Script + Asset.Style).IndexOfAny(['<', '>', '&']));
    }

    [Theory]
    [InlineData(nameof(SampleSummary.Full))]
    [InlineData(nameof(SampleSummary.Comparison))]
    public void Every_text_is_escaped(string name)
    {
        Summary full = Sample(name);
        Summary summary = full with
        {
            Title = Evil,
            Model = full.Model! with { Name = Evil, Preconditioning = Evil, Hash = Evil, Guidance = Evil },
            Data = new(Evil, Evil),
            Figures = [.. full.Figures.Select(
                f => f with { Name = Evil, ShortName = Evil, Description = Evil, FeatureHash = Evil, ReferenceHash = Evil })],
            Trials = [.. full.Trials.Select(t => t with
            {
                Name = Evil + t.Name,
                Schedule = Evil + t.Schedule,
                Tuning = Evil,
                Solver = Evil + t.Solver,
                FoundFor = t.FoundFor is null ? null : Evil + t.FoundFor,
                ImagesHash = Evil
            })],
            LeftOut = [new(4, Evil, Evil, Evil)],
            Searches = [new(Evil, Evil, [4], 1, 1, 1, Evil)],
            ImageStrips = [.. full.ImageStrips.Select(s => s with { Label = Evil + s.Label, Path = Evil })],
            TuningRounds = [.. full.TuningRounds.Select(
                r => r with { Schedule = Evil, Tuning = Evil, Loss = Evil, HeldOutMetric = Evil, StopReason = Evil })],
            Ledger = [.. full.Ledger.Select(l => l with { Stage = Evil })],
            Commands = [new(Evil, Evil)],
            Warnings = [Evil],
            Manifest = full.Manifest with
            { Version = Evil, CommandLine = Evil, Options = new Dictionary<string, string> { [Evil] = Evil } },
        };
        string html = HtmlExporter.Render(summary, path => path == Evil ? null : []), markdown = MarkdownExporter.Render(summary);
        var page = XDocument.Parse(html);
        Assert.Single(page.Descendants(), e => e.Name.LocalName == "script");
        Assert.DoesNotContain(html + markdown + string.Concat(CsvExporter.Lines(summary)), c => c is '\u001b' or '\u202e' or '\u0007');
        // text to copy is indented, which is code
        Assert.DoesNotContain("<script", markdown.Replace("    <script", "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Contains("<script>alert(1)</script>\"'&", page.Descendants("h1").Single().Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Numbers_that_failed_are_shown_as_missing_and_never_break_a_chart()
    {
        foreach (Summary full in new[] { SampleSummary.Full(), SampleSummary.Comparison(), SampleSummary.Steps() })
        {
            foreach (double second in new[] { double.NaN, 3, 0, -1e9 })
            {
                string html = Render(full with
                {
                    LossCurve = new([new(0.1, double.NaN, double.NaN, double.NaN, double.NaN),
                        new(1, 0.5, -0.1, double.PositiveInfinity, 0.5), new(10, 0, 0, 0, 0)]),
                    Trials = [.. full.Trials.Select((t, i) => t with
                    {
                        LossPower0 = new(double.NaN, double.NaN, 1),
                        Seconds = double.NaN,
                        Figures = t.Figures.ToDictionary(
                            f => f.Key, _ => new FigureValues([new(0, 10, i == 2 ? 5 : double.NaN), new(10, 10, second)]))
                    })],
                    Figures = [.. full.Figures.Select(f => f with { Floor = double.NaN })],
                    TuningRounds = [.. full.TuningRounds.Take(1).Select(r => r with
                    {
                        Points = [new(0, double.NaN, double.NaN), new(1, double.PositiveInfinity, 2)],
                        Seconds = double.NaN,
                        BestUpdate = null
                    })],
                    Ledger = [new("x", long.MaxValue, 0, double.NaN)],
                });
                Assert.DoesNotMatch("NaN|Infinity|∞", Regex.Replace(html, "base64,[^\"]*|A sample holds NaN", ""));
                Assert.NotNull(XDocument.Parse(html));
            }
        }
    }

    [Fact]
    public void A_run_whose_numbers_all_failed_still_has_a_report()
    {
        Summary full = SampleSummary.Full();
        XDocument page = Parse(full with
        {
            LossCurve = new([]),
            Trials = [.. full.Trials.Select(t => t with
            {
                Figures = new Dictionary<string, FigureValues>(),
                Verdicts = new Dictionary<string, Verdict>(),
                LossPower0 = null,
                LossPower1 = null,
                Sigmas = []
            })],
            TuningRounds = [full.TuningRounds[0] with { Points = [] }],
        });
        Assert.Equal(["images", "headline", "numbers", "tuning", "cost", "warnings", "data", "manifest", "use"],
            page.Descendants("section").Select(s => (string?)s.Attribute("id")));
        Assert.Contains("no curve", page.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void The_images_come_first_in_tiles_of_their_seeds_the_important_rows_on_top()
    {
        XElement images = Parse(SampleSummary.Full()).Descendants("section").First();
        Assert.Equal(["result", "best untuned", "baseline", "teacher"],
            images.Descendants("span").Where(s => (string?)s.Attribute("class") == "role").Select(s => s.Value));
        Assert.StartsWith("Phase 1, power 0 + trajectory with euler (FD ", (string?)images.Descendants().Attributes("data-label").First(),
            StringComparison.Ordinal);
        Assert.Single(images.Descendants("details").Single().Elements("div"));
        XElement[] tiles = [.. images.Descendants("button").Take(10)];
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"seed {i}"), tiles.Select(t => (string?)t.Attribute("title")));
        Assert.Equal("252 0 28 28", (string?)tiles[9].Element(Svg + "svg")!.Attribute("viewBox"));
        Assert.Contains("images pixels", images.Descendants("div").Attributes("class").Select(c => c.Value));
        Assert.Equal(5, images.Descendants(Svg + "image").Count());
    }

    [Fact]
    public void It_ends_with_the_commands_and_the_winner_s_sigmas()
    {
        XElement[] codes = [.. Parse(SampleSummary.Full()).Descendants("section").Last().Descendants("code")];
        Assert.Equal(["fewstep sample --model runs/garments --seeds 0-63", "using var model = "
            + "Model.Open(\"runs/garments\");\nmodel.Sample(seeds: 16);", "80, 6.31, 1.97, 0.618, 0.002"], codes.Select(c => c.Value));
        Assert.Contains(
            ", then 0", Parse(SampleSummary.Full() with { Trials = [SampleSummary.Full().Trials[3] with { Role = TrialRole.Result }] })
                .Descendants("code").Last().Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_hash_is_said_to_be_of_something()
    {
        string[] terms = [.. Parse(SampleSummary.Full()).Descendants("dt").Select(t => t.Value)
            .Where(t => t.StartsWith("SHA-256", StringComparison.Ordinal))];
        Assert.Equal(
            ["SHA-256 of the model", "SHA-256 of the training images", "SHA-256 of the 10,000 reference images of FD",
                "SHA-256 of the reference of recall", "SHA-256 of the feature network of FD, recall"], terms);
        Assert.Contains("SHA-256 of the images of theirs", Parse(SampleSummary.Stored()).Root!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void The_report_states_metric_floor_and_sample_size()
    {
        Summary full = SampleSummary.Full();
        string text = Parse(
            full with { Figures = [full.Figures[0] with { FloorSpread = 0.04, FloorSubsets = 3 }, .. full.Figures.Skip(1)] }).Root!.Value;
        Assert.Contains("FD (garment features): Fréchet distance", text, StringComparison.Ordinal);
        Assert.Contains(
            "FD 0.830 ± 0.040 at 2,000 images, mean and standard deviation over 3 disjoint subsets. A sampler near it is as close to the "
                + "reference as other real images are.", text, StringComparison.Ordinal);
        Assert.Contains("5 × 2,000", text, StringComparison.Ordinal);
    }

    [Fact]
    public void A_round_that_is_not_delivered_has_its_own_story()
    {
        Summary full = SampleSummary.Full();
        string text = Parse(full with
        {
            TuningRounds = [full.TuningRounds[0] with { IsKept = false, StopReason = "all updates were made." }, full.TuningRounds[1]]
        }).Root!.Value;
        Assert.Contains("best at update 800", text, StringComparison.Ordinal);
        Assert.Contains("stopped because: all updates were made. The run delivers the model of another round, whose samples are closer to "
            + "the teacher's.", text, StringComparison.Ordinal);
        Assert.Equal(2, text.Split("The run delivers the model of another round").Length);
    }

    [Fact]
    public void Sigmas_of_a_later_round_are_not_said_to_follow_from_the_curve_alone()
    {
        const string later = "Those of a later round follow the curve of the model that was tuned before it as well.";
        Summary full = SampleSummary.Full();
        Assert.DoesNotContain(later, Parse(full).Root!.Value, StringComparison.Ordinal);
        Assert.Contains(later, Parse(full with
        {
            Trials = [.. full.Trials.Select(t =>
                t.Role == TrialRole.Result ? t with { Source = FewStep.Noise.ScheduleSource.Alternation, Schedule = "Alternation" } : t)]
        }).Root!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void Time_is_that_of_the_clock_where_it_was_taken()
    {
        Summary full = SampleSummary.Full();
        Assert.Contains("1 h 07 min", Parse(full).Root!.Value, StringComparison.Ordinal); // the sum of the ledger: 4048.5 s
        Assert.Contains(
            "2 h 00 min", Parse(full with { Manifest = full.Manifest with { Seconds = 7200 } }).Root!.Value, StringComparison.Ordinal);
    }

    [Fact]
    public void A_transfer_is_shaded_by_its_ratio_to_the_solver_s_own_schedule()
    {
        XElement section = Parse(SampleSummary.Comparison()).Descendants("section").Single(s => (string?)s.Attribute("id") == "transfer");
        // 5 solvers, of which Heun shares no numbers of steps with the others, at 4 numbers.
        Assert.Equal(4 * (4 * 3),
            section.Descendants("td").Count(t => ((string?)t.Attribute("class"))!.Split(' ').Any(c => c is "worse" or "better")));
        Assert.Equal(4 * 5, section.Descendants("td").Count(t => ((string?)t.Attribute("class"))!.Split(' ').Contains("best")));
    }

    [Fact]
    public void On_a_phone_the_first_figure_stays_beside_the_name()
    {
        foreach (string name in new[] { nameof(SampleSummary.Full), nameof(SampleSummary.Comparison), nameof(SampleSummary.Stored) })
        {
            XElement table = Parse(Sample(name)).Descendants("section").Single(s => (string?)s.Attribute("id") == "numbers")
                .Descendants("table").First();
            Assert.All(table.Element("tbody")!.Elements("tr"), r => Assert.Equal("FD ↓", (string?)r.Elements("td")
                .Single(c => ((string?)c.Attribute("class"))!.Split(' ').Contains("key")).Attribute("data-label")));
        }
    }

    [Fact]
    public void Everything_is_written_into_the_folder_with_the_pictures_inside()
    {
        string folder = Path.Combine(AppContext.BaseDirectory, "sample-report");
        Summary summary = SampleSummary.Full();
        foreach (ImageStripSummary strip in summary.ImageStrips.Where(s => s.Path != "samples/phase1.png"))
            AtomicFile.Write(Path.Combine(folder, strip.Path), s => s.Write(SampleSummary.Png(strip.Path)));
        Report.Write(summary, folder);
        Assert.All(["report.html", "report.md", "metrics.csv", "metrics.json"],
            name => Assert.True(File.Exists(Path.Combine(folder, name)), name));
        var page = XDocument.Load(Path.Combine(folder, Report.FileName));
        Assert.Equal(summary.ImageStrips.Count - 1, page.Descendants(Svg + "image").Count());
        Assert.Contains("The picture samples/phase1.png is missing.", page.Root!.Value, StringComparison.Ordinal);
    }

    private static Summary Sample(string name) => name switch
    {
        nameof(SampleSummary.Full) => SampleSummary.Full(),
        nameof(SampleSummary.Steps) => SampleSummary.Steps(),
        nameof(SampleSummary.Comparison) => SampleSummary.Comparison(),
        nameof(SampleSummary.Stored) => SampleSummary.Stored(),
        _ => SampleSummary.Bare(),
    };

    private static XDocument Parse(Summary summary) => XDocument.Parse(Render(summary));

    private static string Render(Summary summary) => HtmlExporter.Render(summary, SampleSummary.Png);
}
