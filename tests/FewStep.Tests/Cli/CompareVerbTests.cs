using FewStep.Noise;
using System.Xml.Linq;
using FewStep.Experiments;
using FewStep.Tests.Reporting;

namespace FewStep.Tests.Cli;

public sealed class CompareVerbTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public async Task A_whole_comparison_is_written_printed_and_resumed()
    {
        string folder = world.At("compare");
        string file = world.Write("mine.json", "[80, 3, 0.002]");
        string[] arguments =
            [.. Common(folder), "--solvers", "euler,heun", "--schedules", $"karras,phase1,{file}", "--nfe", "2,3", "--strip-seeds", "0-3"];
        var printed = await CommandLineRun.Json(arguments);
        var summary = JsonFile.Read<Summary>(Path.Combine(folder, Summary.FileName));

        // At 2: three schedules with Euler, two with Heun (one step); at 3: two with Euler; and the file with Heun at its own number, 4.
        var students = summary.Trials.Where(t => t.Role != TrialRole.Teacher).ToList();
        var teacher = summary.Trials.Single(t => t.Role == TrialRole.Teacher);
        Assert.Equal(9, printed.GetProperty("trials").GetArrayLength());
        Assert.Equal(8, students.Count);
        Assert.Equal("evaluations", printed.GetProperty("axis").GetString());
        Assert.All(students, c => Assert.Equal(c.Number, c.EvaluationsPerImage));
        Assert.Equal(["heun"], summary.LeftOut.Select(l => l.Solver));
        Assert.Equal([("mine", 2, "euler"), ("mine", 4, "heun")],
            students.Where(c => c.Source == ScheduleSource.Given).Select(c => (c.Schedule!, c.Number, c.Solver!)));
        Assert.Equal(("heun", "karras", 4), (teacher.Solver, teacher.Schedule, teacher.Steps));
        Assert.Equal(3, teacher.Figures["fd"].Ranges.Count);
        var search = Assert.Single(summary.Searches);
        Assert.Equal(("phase1", null, 0L), (search.Name, search.FoundFor, search.NetworkEvaluations));
        Assert.True(search.LossCurveEvaluations > 0);
        Assert.Equal(6, summary.ImageStrips.Count);

        var rows = CsvReader.Read(await Text(folder, "metrics.csv"));
        Assert.Equal(10, rows.Count);
        Assert.All(rows, r => Assert.Equal(rows[0].Count, r.Count));
        var page = XDocument.Parse(await Text(folder, "report.html"));
        Assert.Equal(["images", "headline", "numbers", "charts", "schedules", "loss-curve", "searches", "cost", "warnings", "data",
            "manifest", "use"], page.Descendants("section").Select(s => (string?)s.Attribute("id")));
        Assert.Equal(6, page.Descendants("{http://www.w3.org/2000/svg}image").Count());

        string evaluations = await Text(folder, "measurements.json"), searches = await Text(folder, "searches.json");
        await CommandLineRun.Json(arguments);
        Assert.Equal(evaluations, await Text(folder, "measurements.json"));
        Assert.Equal(searches, await Text(folder, "searches.json"));
    }

    [Fact]
    public async Task The_table_marks_the_best_and_says_how_sure_that_is()
    {
        var run = await CommandLineRun.Of(
            [.. Common(world.At("table-of-cells")), "--solvers", "euler", "--schedules", "karras,log-snr", "--steps", "1,3"]);
        Assert.True(run.Code == 0, run.Messages);
        Assert.Contains("best", run.Output, StringComparison.Ordinal);
        // One step is the same under every schedule.
        Assert.Contains("At 1 step, karras with euler has the best FD", run.Output, StringComparison.Ordinal);
        Assert.Contains("not decided against log-snr with euler", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endpoints_alone_need_neither_images_nor_classifier()
    {
        string folder = world.At("endpoints-alone");
        await CommandLineRun.Json(
            "compare", "--model", world.Model, "--data", world.At("nowhere"), "--metrics", "endpoint", "--solvers", "euler", "--schedules",
            "karras", "--nfe", "2", "--samples", "4", "--ranges", "1", "--dtype", "float32",
            "--teacher", "euler:log-snr:5", "--strip-seeds", "none", "--out", folder);
        var summary = JsonFile.Read<Summary>(Path.Combine(folder, Summary.FileName));
        Assert.Equal("endpoint", summary.Figures.Single().Key);
        Assert.True(summary.Trials.Single(t => t.Role != TrialRole.Teacher).Figures["endpoint"].Mean > 0);
        Assert.Contains(summary.Warnings, w => w.Contains("one range of seeds", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("There is no solver 'magic'", "--solvers", "euler,magic")]
    [InlineData("There is no schedule 'sine'", "--schedules", "karras,sine")]
    [InlineData("or an optimiser (phase1", "--schedules", "sine")]
    [InlineData("phase1", "--schedules", "phase1:x")]
    [InlineData("even numbers", "--solvers", "heun", "--nfe", "3,5")]
    [InlineData("must be one or more numbers", "--nfe", "four")]
    [InlineData("exclude each other", "--nfe", "4", "--steps", "4")]
    [InlineData("--shown-nfe 7", "--shown-nfe", "7")]
    [InlineData("There is no metric 'vmaf'", "--metrics", "vmaf")]
    [InlineData("is no sampler", "--teacher", "heun")]
    [InlineData("solver:schedule:steps", "--teacher", "heun:karras")]
    [InlineData("There is no solver 'magic'", "--teacher", "magic:karras:8")]
    [InlineData("samples must be at least 2", "--samples", "1")]
    [InlineData("leave the seeds of evaluations", "--first-seed", "4000000000", "--schedules", "phase1")]
    [InlineData("batch must lie", "--batch", "0")]
    [InlineData("at least 2 images", "--search-images", "1", "--schedules", "phase1")]
    [InlineData("There is no model at", "--model", "@nothing")]
    public async Task One_line_says_it_and_nothing_is_written(string fragment, params string[] arguments)
    {
        string folder = world.At(Guid.NewGuid().ToString("N"));
        string[] common = ["compare", "--data", world.Data, "--classifier", world.Classifier, "--out", folder,
            .. arguments.Contains("--model") ? Array.Empty<string>() : ["--model", world.Model]];
        await CommandLineRun.Refused(fragment,
            [.. common, .. arguments.Select(a => a.Replace("@", world.At("") + Path.DirectorySeparatorChar, StringComparison.Ordinal))]);
        Assert.False(Directory.Exists(folder));
    }

    private string[] Common(string folder) =>
        ["compare", "--model", world.Model, "--classifier", world.Classifier, "--data", world.Data, "--samples", "8", "--ranges", "3",
            "--batch", "5", "--dtype", "float32", "--curve-points", "12", "--curve-images", "10", "--teacher", "heun:karras:4", "--out",
            folder];

    private static Task<string> Text(string folder, string name)
        => File.ReadAllTextAsync(Path.Combine(folder, name), TestContext.Current.CancellationToken);
}
