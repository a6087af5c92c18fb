using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using FewStep.Cli.Terminal;
using FewStep.Metrics;
using FewStep.Reporting;
using FewStep.Experiments;
using FewStep.Platform;
using FewStep.Search;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep evaluate</c>: Fréchet distances of any models, schedules, solvers and numbers of steps, with their spread.</summary>
internal static class EvaluateVerb
{
    private const string ReferenceName = "reference.safetensors";

    public static Command Create(TerminalOutput terminal)
    {
        var options = new EvaluateOptions();
        var command = new Command("evaluate", "Compare schedules, solvers and tuned models by Fréchet distance or other --metrics, or measure stored --images. Interrupt with Ctrl-C and repeat the command to resume.");
        options.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(options.Threads));
            string folder = parsed.GetRequiredValue(options.Output);
            if (options.Metrics.IsAsked(parsed))
            {
                var metrics = MetricsRun.Run(options, parsed, folder, terminal, cancellation);
                terminal.Result(parsed.GetValue(options.Json), metrics, console => ReportTables.Show(console, OldReports.From(metrics), Path.Combine(folder, ImageMetricsSummary.FileName)));
                return Task.FromResult(0);
            }

            var summary = Compare(options, parsed, folder, terminal, cancellation);
            RunSummaryFile.Write(Path.Combine(folder, RunSummaryFile.Name), summary);
            OldReports.Write(OldReports.From(summary), folder);
            terminal.Result(parsed.GetValue(options.Json), summary, console => ReportTables.Show(console, OldReports.From(summary), Path.Combine(folder, Report.FileName)));
            return Task.FromResult(0);
        });
        return command;
    }

    private static RunSummary Compare(EvaluateOptions options, ParseResult parsed, string folder, TerminalOutput terminal, CancellationToken cancellation)
    {
        var started = DateTimeOffset.UtcNow;
        long seed = parsed.GetValue(options.Seed);
        var (request, ranges, shown) = (options.Request(parsed), options.SeedRanges(parsed), options.Shown(parsed));
        int batch = options.BatchSize(parsed);
        using var models = ComparedModels.Open(parsed.GetRequiredValue(options.Model), options.ReadModel(parsed));
        using var classifier = FeatureClassifierFolder.Load(options.Classifier.Read(parsed, models.First.Path), DeviceFlag.Resolve(parsed));
        using var images = ComparisonImages.Open(options, parsed, terminal.Progress, cancellation);
        var given = parsed.GetValue(options.Curve) is string file ? LossCurveFile.ReadFor(file, models.First.Hash) : null;
        images.CheckFit(models.First, classifier);
        if (request.NeedsCurve && given is null && images.Training is null)
        {
            throw new InvalidInputException("Phase 1 needs training images for its loss curve: give --data, or --curve with a loss-curve.json.");
        }

        var store = EvaluationStore.Open(Path.Combine(folder, EvaluationStore.Name));
        var curve = given ?? (request.NeedsCurve
            ? KeptLossCurve.Get(folder, store, models.First, images.Training!, options.CurveFlags.Read(parsed) with { Seed = seed, Steps = request.Steps }, terminal.Progress, cancellation)
            : null);
        var plan = EvaluationPlan.Create(request, models, curve, model => $"{model.Hash} {model.NumberFormat}");
        var real = Stopwatch.StartNew();
        using var reference = ReferenceStatistics.LoadOrMeasure(Path.Combine(folder, ReferenceName), images.Reference, classifier, terminal.Progress, cancellation);
        var evaluation = new FrechetEvaluation(classifier, reference);
        var (metric, remark) = RunFacts.Of(evaluation, images.Training, ranges[0].Count, ranges.Count, seed, terminal.Progress, cancellation);
        var realCost = RunFacts.RealImagesCost(real.Elapsed);
        var strips = Stopwatch.StartNew();
        var rows = Strips(plan, shown, folder, cancellation);
        var drawing = new LedgerLineSummary("images of the report", rows.Sum(r => (long)Math.Round(r.EvaluationsPerImage * r.Seeds.Count)), 0, strips.Elapsed.TotalSeconds);
        var comparison = new ScheduleComparison(evaluation, ranges) { Store = store, Curve = curve, BatchSize = batch };
        var result = comparison.Run(plan.Cells, terminal.Progress, cancellation);
        return new RunSummary
        {
            Title = $"{models.First.Config.Name}: few-step samples compared",
            Steps = plan.ShownSteps,
            Model = models.First.Summary,
            Data = new DataSummary { Name = images.Name, Hash = images.Reference.Hash, TrainingImages = images.Training?.Count ?? 0, HeldOutImages = images.Reference.Count },
            Metric = metric,
            LossCurve = curve is null ? null : RunFacts.Of(curve),
            Schedules = plan.Schedules,
            Evaluations = result.Evaluations,
            ImageStrips = rows,
            Ledger = [.. curve is null ? [] : new[] { new LedgerLineSummary("loss curve", curve.Origin.NetworkEvaluations, 0, curve.Origin.Seconds) }, realCost, drawing, result.Cost],
            Manifest = CommandLineManifest.Create(parsed, started, seed, models.First.NumberFormat!, models.First.Denoiser.Device),
            Warnings = [.. Warnings(remark, curve)],
        };
    }

    private static List<ImageStripSummary> Strips(EvaluationPlan plan, IReadOnlyList<long> seeds, string folder, CancellationToken cancellation)
    {
        var rows = new List<ImageStripSummary>();
        foreach (var cell in plan.Cells.Where(c => seeds.Count > 0 && (c.Schedule.Steps == plan.ShownSteps || c.Role == EvaluationRole.Teacher)))
        {
            rows.Add(ImageStrip.Draw(cell, seeds, folder, string.Create(CultureInfo.InvariantCulture, $"samples/strip-{rows.Count + 1:D2}.png"), cancellation));
        }

        return rows;
    }

    private static IEnumerable<string> Warnings(string? remark, LossCurve? curve)
    {
        if (remark is not null)
        {
            yield return remark;
        }

        foreach (string about in curve?.Remarks() ?? [])
        {
            yield return about;
        }
    }
}
