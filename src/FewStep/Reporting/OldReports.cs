using FewStep.Experiments;
using FewStep.Noise;

namespace FewStep.Reporting;

/// <summary>Reports of the summaries that go: goes with them.</summary>
internal static class OldReports
{
    public static void Write(Summary summary, string folder)
    {
        foreach (ISummaryExporter exporter in SummaryExporters.All.Where(e => e is not JsonExporter))
        {
            exporter.Write(summary, folder);
        }
    }

    public static Summary From(ImageMetricsSummary images) => new()
    {
        Title = images.Title,
        Axis = ComparisonAxis.Evaluations,
        ShownNumber = 0,
        Figures = [.. images.Rows[0].Figures.Select(f => new FigureSummary { Key = f.Name, Name = f.Name, ShortName = f.Name, Description = "", HigherIsBetter = f.HigherIsBetter })],
        Trials = [.. images.Rows.Select(r => new TrialSummary
        {
            Name = r.Name,
            Number = 0,
            EvaluationsPerImage = r.EvaluationsPerImage,
            Figures = r.Figures.ToDictionary(f => f.Name, f => new FigureValues([.. f.Ranges.Select((v, i) => new RangeValue(i, (int)f.RangeImages, v))], f.StandardDeviation, f.Value)),
        })],
        Manifest = images.Manifest,
        Warnings = images.Warnings,
    };

    public static Summary From(RunSummary run) => new()
    {
        Title = run.Title,
        Axis = ComparisonAxis.Steps,
        ShownNumber = run.Steps,
        Model = run.Model,
        Data = run.Data,
        Seeds = run.Evaluations.Select(e => e.Distance).OfType<DistanceSummary>().Select(d => new SeedsSummary(d.Ranges[0].FirstSeed, d.Ranges[0].Images, d.Ranges.Count)).FirstOrDefault(),
        Figures = [Figure("fd", run.Metric)],
        Trials = Judge([.. run.Evaluations.Select(e => Trial(run, e))]),
        LossCurve = run.LossCurve,
        TuningRounds = run.TuningRounds,
        ImageStrips = [.. run.ImageStrips.Select(s => s with { Label = run.Evaluations.FirstOrDefault(e => (e.Schedule, e.Tuning, e.Solver) == (s.Schedule, s.Tuning, s.Solver)) is { } e ? Name(e.Schedule, e.Tuning, e.Solver, e.Steps) : s.Label })],
        Ledger = run.Ledger,
        Manifest = run.Manifest,
        Warnings = run.Warnings,
    };

    public static Summary From(ComparisonSummary comparison)
    {
        var trials = comparison.Cells.Select(c => new TrialSummary
        {
            Name = Name(c.ScheduleLabel, null, c.Solver, c.Steps),
            Number = c.Number,
            Schedule = c.Schedule,
            Source = c.Source,
            FoundFor = c.FoundFor,
            Solver = c.Solver,
            Steps = c.Steps,
            EvaluationsPerImage = c.EvaluationsPerImage,
            Sigmas = c.Sigmas,
            Terminal = c.Terminal,
            Figures = Values(("fd", c.Distance), ("endpoint", c.Endpoint)),
            Seconds = c.Seconds,
        });
        if (comparison.Teacher is { } t)
        {
            trials = trials.Append(new TrialSummary
            {
                Name = $"teacher: {t.Solver} on {t.Schedule}, {t.Steps} steps",
                Number = t.Steps,
                Role = TrialRole.Teacher,
                Schedule = t.Schedule,
                Solver = t.Solver,
                Steps = t.Steps,
                EvaluationsPerImage = t.EvaluationsPerImage,
                Figures = Values(("fd", t.Distance), ("endpoint", null)),
            });
        }

        return new()
        {
            Title = comparison.Title,
            Axis = comparison.Axis,
            ShownNumber = comparison.ShownNumber,
            Model = comparison.Model,
            Data = comparison.Data,
            Seeds = new(comparison.Seeds.First, comparison.Seeds.Images, comparison.Seeds.Ranges),
            Figures =
            [
                .. comparison.Metric is { } m ? [Figure("fd", m)] : Array.Empty<FigureSummary>(),
                .. comparison.Teacher is null ? [] : new[] { new FigureSummary { Key = "endpoint", Name = "Endpoint RMS", ShortName = "Endpoint RMS", Description = "Root-mean-square difference of a pixel value (images in [-1, 1]) to the teacher's image of the same latent, mean over images, before clipping and rounding. It says how well the model's own ODE is solved, not how good the model is." } },
            ],
            Trials = Judge([.. trials]),
            LeftOut = [.. comparison.LeftOut.Select(l => new LeftOutSummary(l.Number, l.Solver, l.Reason, l.Schedule))],
            Searches = [.. comparison.Searches.Select(s => new SearchSummary(s.Optimizer, s.FoundFor, [.. s.Schedules.Select(f => f.Steps)], s.NetworkEvaluations, s.LossCurveEvaluations, s.Seconds, s.Schedules.Count == 0 ? "" : s.Schedules[^1].StopReason))],
            ImageStrips = [.. comparison.ImageStrips.Select(s => s with { Label = trials.FirstOrDefault(c => c.Role != TrialRole.Teacher && c.Number == comparison.ShownNumber && c.ScheduleLabel == s.Schedule && c.Solver == s.Solver)?.Name ?? comparison.Teacher!.Schedule })],
            Ledger = comparison.Ledger,
            Manifest = comparison.Manifest,
            Warnings = comparison.Warnings,
        };
    }

    private static TrialSummary Trial(RunSummary run, EvaluationSummary e)
    {
        ScheduleSummary? schedule = run.Schedules.FirstOrDefault(s => s.Name == e.Schedule);
        return new()
        {
            Name = Name(e.Schedule, e.Tuning, e.Solver, e.Steps),
            Number = e.Steps,
            Role = Enum.Parse<TrialRole>(e.Role.ToString()),
            Schedule = e.Schedule,
            Source = schedule?.Source ?? ScheduleSource.Given,
            Tuning = e.Tuning,
            Solver = e.Solver,
            Steps = e.Steps,
            EvaluationsPerImage = e.EvaluationsPerImage,
            Sigmas = schedule?.Sigmas ?? [],
            Terminal = schedule?.Terminal ?? ScheduleTerminal.SigmaMin,
            LossPower0 = e.LossPower0,
            LossPower1 = e.LossPower1,
            Figures = Values(("fd", e.Distance)),
        };
    }

    private static string Name(string schedule, string? tuning, string solver, int steps) => $"{ReportPage.Method(schedule, tuning)}, {solver}, {steps} steps";

    private static FigureSummary Figure(string key, MetricSummary m) => new()
    {
        Key = key,
        Name = m.Name,
        ShortName = m.ShortName,
        Description = m.Description,
        FeatureHash = m.FeatureHash,
        ReferenceHash = m.ReferenceHash,
        Floor = m.Floor,
        FloorSpread = m.FloorSpread,
        FloorImages = m.FloorImages,
        FloorSubsets = m.FloorSubsets,
    };

    private static Dictionary<string, FigureValues> Values(params IEnumerable<(string Key, DistanceSummary? Values)> all) =>
        all.Where(v => v.Values is not null).ToDictionary(v => v.Key, v => new FigureValues([.. v.Values!.Ranges.Select(r => new RangeValue(r.FirstSeed, r.Images, r.Value))]));

    internal static TrialSummary[] Judge(TrialSummary[] trials)
    {
        foreach (var group in trials.Where(t => t.Role != TrialRole.Teacher).SelectMany(t => t.Figures.Keys.Select(k => (Key: k, Trial: t))).Where(f => double.IsFinite(f.Trial.Figures[f.Key].Mean)).GroupBy(f => (f.Key, f.Trial.Number)))
        {
            var best = group.MinBy(f => f.Trial.Figures[f.Key].Mean).Trial.Figures[group.Key.Key];
            foreach (var (key, trial) in group)
            {
                var values = trial.Figures[key];
                double[] d = [.. from a in best.Ranges join b in values.Ranges on a.FirstSeed equals b.FirstSeed select b.Value - a.Value];
                double? half = TrialComparison.HalfWidth(d);
                var verdict = ReferenceEquals(values, best) ? new Verdict(Standing.Best, 0) : new Verdict(half is { } h && d.Average() > h ? Standing.Behind : Standing.Undecided, d.Average(), half);
                int i = Array.FindIndex(trials, t => t.Name == trial.Name && t.Number == trial.Number);
                trials[i] = trials[i] with { Verdicts = new Dictionary<string, Verdict>(trials[i].Verdicts) { [key] = verdict } };
            }
        }

        return trials;
    }
}
