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
        string[] arguments = [.. Common(folder), "--solvers", "euler,heun", "--schedules", $"karras,phase1,{file}", "--nfe", "2,3", "--strip-seeds", "0-3"];
        var printed = await CommandLineRun.Json(arguments);
        var summary = ComparisonSummaryFile.Read(Path.Combine(folder, ComparisonSummaryFile.Name));

        // At 2: three schedules with Euler, two with Heun (one step); at 3: two with Euler.
        Assert.Equal(7, printed.GetProperty("cells").GetArrayLength());
        Assert.Equal(7, summary.Cells.Count);
        Assert.Equal("evaluations", printed.GetProperty("axis").GetString());
        Assert.All(summary.Cells, c => Assert.Equal(c.Number, c.EvaluationsPerImage));
        Assert.Equal(["heun"], summary.LeftOut.Select(l => l.Solver));
        Assert.Equal(("mine", 2), summary.Cells.Where(c => c.Source == ScheduleSource.Given).Select(c => (c.Schedule, c.Steps)).Single());
        Assert.Equal(("heun", "karras", 4), (summary.Teacher!.Solver, summary.Teacher.Schedule, summary.Teacher.Steps));
        Assert.NotNull(summary.Teacher.Distance);
        var search = Assert.Single(summary.Searches);
        Assert.Equal(("phase1", null, 0L), (search.Optimizer, search.FoundFor, search.NetworkEvaluations));
        Assert.True(search.LossCurveEvaluations > 0);
        Assert.Equal(6, summary.ImageStrips.Count);

        var rows = CsvReader.Read(await Text(folder, "compare.csv"));
        Assert.Equal(8, rows.Count);
        Assert.All(rows, r => Assert.Equal(rows[0].Count, r.Count));
        var page = XDocument.Parse(await Text(folder, "compare.html"));
        Assert.Equal(["warnings", "distance", "endpoint", "images", "cells", "schedules", "searches", "cost", "manifest"], page.Descendants("section").Select(s => (string?)s.Attribute("id")));
        Assert.Equal(6, page.Descendants("img").Count());

        string evaluations = await Text(folder, "evaluations.json"), searches = await Text(folder, "searches.json");
        await CommandLineRun.Json(arguments);
        Assert.Equal(evaluations, await Text(folder, "evaluations.json"));
        Assert.Equal(searches, await Text(folder, "searches.json"));
    }

    [Fact]
    public async Task The_table_marks_the_best_and_says_how_sure_that_is()
    {
        var run = await CommandLineRun.Of([.. Common(world.At("table-of-cells")), "--solvers", "euler", "--schedules", "karras,log-snr", "--steps", "1,3"]);
        Assert.True(run.Code == 0, run.Messages);
        Assert.Contains("best", run.Output, StringComparison.Ordinal);
        // One step is the same under every schedule.
        Assert.Contains("At 1 step, karras with euler has the least FD", run.Output, StringComparison.Ordinal);
        Assert.Contains("not decided against log-snr with euler", run.Output, StringComparison.Ordinal);
        Assert.Contains("3 × 8 images of the same seeds", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Endpoints_alone_need_neither_images_nor_classifier()
    {
        string folder = world.At("endpoints-alone");
        await CommandLineRun.Json(
            "compare", "--model", world.Model, "--data", world.At("nowhere"), "--metrics", "endpoint", "--solvers", "euler", "--schedules", "karras", "--nfe", "2", "--samples", "4", "--ranges", "1", "--dtype", "float32",
            "--teacher", "euler:log-snr:5", "--strip-seeds", "none", "--out", folder);
        var summary = ComparisonSummaryFile.Read(Path.Combine(folder, ComparisonSummaryFile.Name));
        Assert.Null(summary.Metric);
        Assert.Null(summary.Cells.Single().Distance);
        Assert.True(summary.Cells.Single().Endpoint!.Mean > 0);
        Assert.Contains(summary.Warnings, w => w.Contains("one seed range", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("There is no solver 'magic'", "--solvers", "euler,magic")]
    [InlineData("There is no schedule 'sine'", "--schedules", "karras,sine")]
    [InlineData("Or an optimiser (phase1", "--schedules", "sine")]
    [InlineData("phase1", "--schedules", "phase1:x")]
    [InlineData("even numbers", "--solvers", "heun", "--nfe", "3,5")]
    [InlineData("must be one or more numbers", "--nfe", "four")]
    [InlineData("exclude each other", "--nfe", "4", "--steps", "4")]
    [InlineData("--shown-nfe 7", "--shown-nfe", "7")]
    [InlineData("there is no metric 'fid'", "--metrics", "fid")]
    [InlineData("solver:schedule:steps", "--teacher", "heun")]
    [InlineData("solver:schedule:steps", "--teacher", "heun:karras")]
    [InlineData("There is no solver 'magic'", "--teacher", "magic:karras:8")]
    [InlineData("a range needs 2 or more images", "--samples", "1")]
    [InlineData("belong to the searches", "--first-seed", "4000000000", "--schedules", "phase1")]
    [InlineData("--batch 0", "--batch", "0")]
    [InlineData("at least 2 images", "--search-images", "1", "--schedules", "phase1")]
    [InlineData("There is no model at", "--model", "@nothing")]
    public async Task One_line_says_it_and_nothing_is_written(string fragment, params string[] arguments)
    {
        string folder = world.At(Guid.NewGuid().ToString("N"));
        string[] common = ["compare", "--data", world.Data, "--classifier", world.Classifier, "--out", folder, .. arguments.Contains("--model") ? Array.Empty<string>() : ["--model", world.Model]];
        await CommandLineRun.Refused(fragment, [.. common, .. arguments.Select(a => a.Replace("@", world.At("") + Path.DirectorySeparatorChar, StringComparison.Ordinal))]);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_file_of_other_steps_is_refused()
    {
        string folder = world.At("other-steps"), file = world.Write("three.json", "[80, 3, 1, 0.002]");
        await CommandLineRun.Refused("three has 3 steps", [.. Common(folder), "--schedules", file, "--nfe", "4"]);
        Assert.False(Directory.Exists(folder));
    }

    private string[] Common(string folder) =>
        ["compare", "--model", world.Model, "--classifier", world.Classifier, "--data", world.Data, "--samples", "8", "--ranges", "3", "--batch", "5", "--dtype", "float32", "--curve-points", "12", "--curve-images", "10", "--teacher", "heun:karras:4", "--out", folder];

    private static Task<string> Text(string folder, string name) => File.ReadAllTextAsync(Path.Combine(folder, name), TestContext.Current.CancellationToken);
}
