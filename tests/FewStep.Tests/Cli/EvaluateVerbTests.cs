using System.Text.Json;
using FewStep.Denoising;
using FewStep.Experiments;
using FewStep.Sampling;

namespace FewStep.Tests.Cli;

public sealed class EvaluateVerbTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public async Task A_mixture_is_measured_as_a_network_is_and_a_run_is_not_written_over()
    {
        string mixture = world.At("mixture.json"), folder = world.At("of-mixture");
        TestMixtures.Write(mixture, TestMixtures.OneComponent(new ImageShape(1, 8, 8), 0.1, 0.5));
        string[] line = ["evaluate", "--model", mixture, "--data", world.Data, "--classifier", world.Classifier, "--samples", "4",
            "--ranges", "2", "--schedules", "karras", "--steps", "2", "--strip-seeds", "none"];
        await CommandLineRun.Json([.. line, "--out", folder]);
        Assert.Contains("karras", await Text(folder, "report.md"), StringComparison.Ordinal);
        await CommandLineRun.Refused(
            "--schedules", [.. line.Where(w => w is not ("--schedules" or "karras")), "--sampler", "karras/euler/2", "--out", folder]);
        string run = Path.GetDirectoryName(world.Write("manifest.json", "{}"))!;
        await CommandLineRun.Refused("holds a run or samples", [.. line, "--out", run]);
        File.Delete(Path.Combine(run, "manifest.json"));
    }

    [Fact]
    public async Task A_whole_comparison_is_written_printed_and_resumed()
    {
        string folder = world.At("whole");
        string[] arguments = [.. Common(folder), "--model", world.Model, "--model", $"trajectory={world.Tuned}", "--schedules",
            "karras,phase1,phase1:1", "--steps", "3,2", "--tuned-steps", "2",
            "--teacher", "karras", "--teacher-steps", "4", "--strip-seeds", "0-3"];
        var printed = await CommandLineRun.Json(arguments);
        var summary = JsonFile.Read<Summary>(Path.Combine(folder, "metrics.json"));

        // 3 schedules x 2 numbers of steps, the tuned model at 2 steps only, and the teacher.
        Assert.Equal(10, printed.GetProperty("trials").GetArrayLength());
        Assert.Equal(10, summary.Trials.Count);
        Assert.Equal(3, summary.Trials.Count(e => e.Tuning == "trajectory" && e.Steps == 2));
        Assert.Equal(2, summary.ShownNumber);
        Assert.All(summary.Trials, e => Assert.Equal([0L, 8L, 16L], e.Figures["fd"].Ranges.Select(r => r.FirstSeed)));
        Assert.All(summary.Trials, e => Assert.Equal(e.Solver == "heun" ? 8 : e.Steps!.Value, e.EvaluationsPerImage));
        Assert.All(summary.Trials, e => Assert.True(e.LossPower0!.Low <= e.LossPower0.Value && e.LossPower1!.Value > 0));
        Assert.Equal(("karras", 2, null), Role(summary, TrialRole.Baseline));
        Assert.Equal(("phase1", 2, "trajectory"), Role(summary, TrialRole.Result));
        Assert.True(summary.Figures.Single().Floor > 0);
        Assert.Equal(7, summary.ImageStrips.Count);
        string best = Path.Combine(folder, "best.sampler.json");
        Assert.Contains(summary.Trials, t => t.Number == 2 && t.Sigmas.SequenceEqual(SamplerFile.Read(best).Schedule.Sigmas));
        Assert.Contains(summary.Commands, c => c.Text.Contains($"--sampler {best}", StringComparison.Ordinal));
        Assert.Equal(summary.Trials.Sum(e => (long)(24 * e.EvaluationsPerImage!.Value)),
            summary.Ledger.Single(l => l.Stage.StartsWith("samples", StringComparison.Ordinal)).NetworkEvaluations);
        Assert.All(summary.ImageStrips, s => Assert.True(File.Exists(Path.Combine(folder, s.Path))));
        Assert.Contains("<svg", await Text(folder, "report.html"), StringComparison.Ordinal);
        Assert.Equal(11, (await Text(folder, "metrics.csv")).TrimEnd('\n').Split('\n').Length);

        // Again: nothing is measured, as the seconds in the file show.
        string stored = await Text(folder, "measurements.json"), curve = await Text(folder, "loss-curve.json");
        Assert.Equal(30, Ranges(stored));
        await CommandLineRun.Json(arguments);
        Assert.Equal(stored, await Text(folder, "measurements.json"));
        Assert.Equal(curve, await Text(folder, "loss-curve.json"));

        // More schedules: only those are measured.
        await CommandLineRun.Json([.. Common(folder), "--model", world.Model, "--schedules", "karras,cosine,phase1", "--steps", "2"]);
        string more = await Text(folder, "measurements.json"), newest = await Text(folder, "measurements.newest.json");
        Assert.Equal(33, Ranges(more) + Ranges(newest));
        Assert.StartsWith(stored[..stored.LastIndexOf('}', stored.LastIndexOf(']'))].TrimEnd(), more, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_table_shows_each_combination_and_what_is_lacking()
    {
        var run = await CommandLineRun.Of([.. Common(world.At("table"), samples: 25), "--model", world.Model, "--schedules",
            "karras,uniform-t", "--solver", "euler,heun", "--steps", "1", "--strip-seeds", "none"]);
        Assert.True(run.Code == 0, run.Messages);
        Assert.DoesNotContain("fewstep:", run.Messages, StringComparison.Ordinal); // progress is no message
        Assert.Equal(2, run.Output.Split("│ heun ").Length - 1);
        Assert.Contains("uniform-t", run.Output, StringComparison.Ordinal);
        Assert.Contains("2 disjoint subsets of 25 training images, not of 3", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("J, power", run.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_reference_of_its_own_needs_no_splits()
    {
        string folder = world.At("reference");
        await CommandLineRun.Json(
            "evaluate", "--model", world.Model, "--classifier", world.Classifier, "--reference", Path.Combine(
                world.Data, "train-images-idx3-ubyte.gz"), "--samples", "8", "--ranges", "1",
            "--schedules", "karras", "--steps", "1", "--out", folder);
        var summary = JsonFile.Read<Summary>(Path.Combine(folder, "metrics.json"));
        Assert.Null(summary.Figures.Single().Floor);
        Assert.Contains(summary.Warnings, w => w.Contains("floor", StringComparison.Ordinal));
        Assert.Null(summary.LossCurve);
    }

    private string[] Common(string folder, int samples = 8) =>
        ["evaluate", "--classifier", world.Classifier, "--data", world.Data, "--samples", $"{samples}", "--ranges", "3", "--batch", "5",
            "--dtype", "float32", "--curve-points", "12", "--curve-images", "10", "--out", folder];

    private static (string?, int?, string?) Role(Summary summary, TrialRole role)
        => summary.Trials.Where(e => e.Role == role).Select(e => (e.Schedule, e.Steps, e.Tuning)).Single();

    private static int Ranges(string evaluations)
        => JsonSerializer.Deserialize<JsonElement>(evaluations, JsonFile.Options).GetProperty("ranges").GetArrayLength();

    private static Task<string> Text(string folder, string name)
        => File.ReadAllTextAsync(Path.Combine(folder, name), TestContext.Current.CancellationToken);
}
