using System.CommandLine;
using System.Diagnostics;
using FewStep.Cli.Terminal;
using FewStep.Metrics;
using FewStep.Reporting;
using FewStep.Experiments;
using FewStep.Search;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep compare</c>: which solver and which schedule is best for a model at a number of evaluations, and how sure that is.</summary>
internal static class CompareVerb
{
    private const string ReferenceName = "reference.safetensors";

    public static Command Create(TerminalOutput terminal)
    {
        var options = new CompareOptions();
        var command = new Command("compare", "Compare solvers and schedules on one model with the same latents everywhere, and say how sure the ranking is. Interrupt with Ctrl-C and repeat the command to resume.");
        options.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(options.Threads));
            string folder = parsed.GetRequiredValue(options.Output);
            var summary = Compare(options, parsed, folder, terminal, cancellation);
            ComparisonSummaryFile.Write(Path.Combine(folder, ComparisonSummaryFile.Name), summary);
            OldReports.Write(OldReports.From(summary), folder);
            terminal.Result(parsed.GetValue(options.Json), summary, console => ReportTables.Show(console, OldReports.From(summary), Path.Combine(folder, Report.FileName)));
            return Task.FromResult(0);
        });
        return command;
    }

    private static ComparisonSummary Compare(CompareOptions options, ParseResult parsed, string folder, TerminalOutput terminal, CancellationToken cancellation)
    {
        var started = DateTimeOffset.UtcNow;
        long seed = parsed.GetValue(options.Seed);
        var (ranges, measured) = (options.SeedRanges(parsed), options.Measured(parsed));
        using var model = SampledModel.Open(parsed.GetRequiredValue(options.Model), options.ReadModel(parsed));
        var request = options.Comparison(parsed, ranges, model.Denoiser);
        using var classifier = measured.Distance ? FeatureClassifierFolder.Load(options.Classifier.Read(parsed, model.Path), DeviceFlag.Resolve(parsed)) : null;
        bool searches = request.Schedules.OfType<ComparisonSchedule.Searched>().Any();
        using var images = measured.Distance || searches ? ComparisonImages.Open(options, parsed, terminal.Progress, cancellation) : null;
        if (classifier is not null)
        {
            images!.CheckFit(model, classifier);
        }

        LossCurve? curve = parsed.GetValue(options.Curve) is string file ? LossCurveFile.ReadFor(file, model.Hash) : null;
        ComparisonRun? run = null;
        LossCurve Curve() => curve ??= KeptLossCurve.Get(
            folder,
            EvaluationStore.Open(Path.Combine(folder, EvaluationStore.Name)),
            model,
            images!.Training!,
            options.CurveFlags.Read(parsed) with { Seed = seed, Steps = [.. run!.Steps.Where(n => n <= ScheduleSearchRequest.MaximumSteps)] },
            terminal.Progress,
            cancellation);
        var training = images?.Training;
        run = new ComparisonRun(
            new ComparisonModel
            {
                Denoiser = model.Denoiser,
                Identity = $"{model.Hash} {model.NumberFormat}",
                Hash = model.Hash,
                LossCurve = curve is null && training is null ? null : Curve,
                TrainingImages = training is null ? null : () => new TrainingImages(training),
                TrainingHash = training?.Hash,
            },
            request);
        var real = Stopwatch.StartNew();
        using var reference = classifier is null ? null : ReferenceStatistics.LoadOrMeasure(Path.Combine(folder, ReferenceName), images!.Reference, classifier, terminal.Progress, cancellation);
        var evaluation = classifier is null ? null : new FrechetEvaluation(classifier, reference!);
        var (metric, remark) = evaluation is null ? (null, null) : RunFacts.Of(evaluation, training, ranges[0].Count, ranges.Count, seed, terminal.Progress, cancellation);
        var realCost = RunFacts.RealImagesCost(real.Elapsed);
        var outcome = run.Execute(evaluation, terminal.Progress, cancellation);
        return new ComparisonSummary
        {
            Title = $"{model.Config.Name}: solvers and schedules compared",
            Axis = request.Axis,
            Numbers = request.Numbers,
            ShownNumber = request.Shown,
            Model = model.Summary,
            Data = images is null ? null : new DataSummary { Name = images.Name, Hash = images.Reference.Hash, TrainingImages = training?.Count ?? 0, HeldOutImages = measured.Distance ? images.Reference.Count : 0 },
            Metric = metric,
            Teacher = outcome.Teacher,
            Seeds = new ComparisonSeedsSummary(ranges[0].First, ranges[0].Count, ranges.Count),
            Cells = outcome.Cells,
            LeftOut = outcome.LeftOut,
            Searches = outcome.Searches,
            ImageStrips = outcome.ImageStrips,
            Ledger =
            [
                .. curve is null ? [] : new[] { new LedgerLineSummary("loss curve", curve.Origin.NetworkEvaluations, 0, curve.Origin.Seconds) },
                .. evaluation is null ? [] : new[] { realCost },
                .. outcome.Ledger,
            ],
            Manifest = CommandLineManifest.Create(parsed, started, seed, model.NumberFormat!, model.Denoiser.Device),
            Warnings = [.. Warnings(remark, curve, ranges.Count, model)],
        };
    }

    private static IEnumerable<string> Warnings(string? remark, LossCurve? curve, int ranges, SampledModel model)
    {
        if (model.Summary.Guidance is not null)
        {
            yield return "The model is guided: the numbers of evaluations that are compared at count its calls, each of which takes up to two network evaluations; the evaluations an image in the tables are counted.";
        }

        if (ranges == 1)
        {
            yield return "There is one seed range only: no difference can be told from chance. Use --ranges 3 or more.";
        }

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
