using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Experiments;
using SkiaSharp;

namespace FewStep.Tests.Reporting;

/// <summary>A run as it might have been, with invented numbers, for looking at and for structural tests.</summary>
internal static class SampleSummary
{
    public const string Phase1 = "Phase 1, power 0";
    public const string Literal = "Phase 1, power 1";
    public const string Karras = "Karras, rho 7";
    public const string TeacherName = "Karras, 8 Heun steps";
    private static readonly string[] Solvers = ["euler", "heun", "dpmpp:2", "unipc:3", "ipndm:3"];
    private static readonly double[] Found = [80, 6.31, 1.97, 0.618, 0.002];
    private static readonly int[] Columns = [.. Enumerable.Range(0, 10)];

    /// <summary>A run: find, tune, compare.</summary>
    public static Summary Full() => new()
    {
        Title = "Garments in 4 steps",
        Axis = ComparisonAxis.Steps,
        ShownNumber = 4,
        Model = new()
        {
            Name = "garments-edm-1.9m",
            Hash = new string('a', 64),
            Parameters = 1_912_345,
            Preconditioning = "edm",
            Shape = new ImageShape(1, 28, 28),
            Classes = 10
        },
        Data = new("Garments 28 x 28", new string('b', 64), null, 60_000, 10_000),
        Seeds = new(0, 2000, 5),
        Figures = [Distance, Recall],
        LossCurve = new([.. Curve()], 2048),
        Trials = Judge(
        [
            Trial(Karras, null, 55.3, 0.9, 1.91, 0.31) with { Role = TrialRole.Baseline },
            Trial("log-SNR", null, 53.2, 0.8, 2.32, 0.24) with { Sigmas = [80, 5.657, 0.4, 0.02828, 0.002] },
            Trial("uniform t", null, 33.8, 0.5, 1.74, 0.42) with { Sigmas = [80, 9.9, 2.6, 0.72, 0.002] },
            Trial("cosine", null, 36.1, 0.7, 1.69, 0.55) with { Sigmas = [80, 2.41, 1, 0.41, 0.002], Terminal = ScheduleTerminal.Zero },
            Trial(Literal, null, 79.0, 1.2, 2.05, 0.173) with { Source = ScheduleSource.Phase1, Sigmas = [80, 1.21, 0.287, 0.0442, 0.002] },
            Trial(Phase1, null, 27.1, 0.4, 1.402, 0.51) with { Source = ScheduleSource.Phase1, Sigmas = Found },
            Trial(Phase1, "denoise", 36.8, 0.6, 1.402, 0.51) with { Source = ScheduleSource.Phase1, Sigmas = Found },
            Trial(Karras, "trajectory", 5.15, 0.1, 1.91, 0.31),
            Trial(Phase1, "trajectory", 5.41, 0.12, 1.402, 0.51) with
            { Role = TrialRole.Result, Source = ScheduleSource.Phase1, Sigmas = Found },
            Trial(Karras, null, 3.85, 0.07, null, null) with
            {
                Name = TeacherName,
                Role = TrialRole.Teacher,
                Solver = "heun",
                Number = 8,
                Steps = 8,
                EvaluationsPerImage = 16,
                Sigmas = [.. Rho(8)]
            },
        ]),
        ImageStrips =
        [
            Strip($"{Karras}, euler", "samples/karras.png"), Strip($"{Phase1}, euler", "samples/phase1.png"),
            Strip($"{Phase1} + trajectory, euler", "samples/phase2.png"), Strip(
                TeacherName, "samples/teacher.png"), Strip("uniform t, euler", "samples/karras.png"),
        ],
        TuningRounds = [Round(1, Phase1, 900, 5.5), Round(2, Phase1, 480, 5.3), Round(1, Karras, 820, 5.25)],
        Ledger = [new("loss curve", 131_072, 0, 71.2), new("search", 0, 0, 0.42), new("tuning", 1_260_000, 1480, 251.9),
            new("sampling for evaluation", 400_000, 0, 3725)],
        Commands = [new("Sample with it", "fewstep sample --model runs/garments --seeds 0-63"),
            new("Use it from C#", "using var model = Model.Open(\"runs/garments\");\nmodel.Sample(seeds: 16);")],
        Manifest = new()
        {
            Version = "0.1.0",
            Started = new DateTimeOffset(2025, 3, 14, 9, 26, 53, TimeSpan.FromHours(1)),
            Seed = 42,
            CommandLine = "fewstep run --model garments --steps 4",
            Versions = new Dictionary<string, string> { [".NET"] = "10.0.1", ["TorchSharp"] = "0.107.0", ["libtorch"] = "2.10.0" },
            Options = new Dictionary<string, string> { ["--steps"] = "4", ["--power"] = "0", ["--updates"] = "1500" },
            Machine = new Dictionary<string, string> { ["System"] = "Linux x64", ["Cores"] = "2", ["Device"] = "cpu, float32" },
        },
        Warnings = ["Tuning by the denoise loss made samples worse (27.1 to 36.8); its weights were not kept.",
            "Tuned on Karras' sigmas the model is slightly better than on Phase 1's."],
    };

    /// <summary>An evaluation of two schedules at three numbers of steps, with a figure that falls below zero.</summary>
    public static Summary Steps() => Bare() with
    {
        Title = "Two schedules at several steps",
        ShownNumber = 6,
        Seeds = new(0, 2000, 5),
        Figures = [Distance, Distance with { Key = "kd", Name = "KD (garment features)", ShortName = "KD", Floor = null }, Recall],
        Trials = Judge(
        [
            .. from steps in new[] { 4, 6, 8 }
               from schedule in new[] { Karras, Phase1 }
               let mean = (schedule == Karras ? 90.0 : 50.0) / steps
               let trial = Trial(schedule, null, mean, mean / 20, null, null)
               select trial with
               {
                   Name = $"{schedule}, euler, {steps} steps",
                   Number = steps,
                   Steps = steps,
                   EvaluationsPerImage = steps,
                   Source = schedule == Karras ? ScheduleSource.Standard : ScheduleSource.Phase1,
                   Sigmas = [.. Rho(steps)],
                   Figures = new Dictionary<string, FigureValues>(trial.Figures) { ["kd"] = Values((mean - 8) / 1000, 0.0004, 3) },
               },
        ]),
        ImageStrips = [Strip($"{Karras}, euler, 6 steps", "samples/karras.png"), Strip($"{Phase1}, euler, 6 steps", "samples/phase1.png")],
    };

    /// <summary>A comparison of solvers and schedules with everything that a page can show.</summary>
    public static Summary Comparison() => Bare() with
    {
        Title = "Solvers and schedules compared",
        Axis = ComparisonAxis.Evaluations,
        ShownNumber = 6,
        Seeds = new(0, 1000, 3),
        Figures = [Distance, Endpoint],
        Trials = Judge([.. Cells(), Trial("karras", null, 3.1, 0.1, null, null) with
        {
            Name = "karras, heun, 32 steps",
            Role = TrialRole.Teacher,
            Solver = "heun",
            Number = 32,
            Steps = 32,
            EvaluationsPerImage = 64,
            Sigmas = [.. Rho(32)]
        }]),
        LeftOut = [new(5, "heun", "no number of steps takes 5 evaluations"), new(4, "ipndm:3", "A sample holds NaN.", "cosine")],
        Searches = [new("phase1", null, [4, 6, 8, 10], 0, 126_000, 12.5, "no improvement"), .. Solvers.Select(
            (s, i) => new SearchSummary("endpoint", s, [4, 6, 8, 10], 90_000 + (i * 12_345), 0, 300, "no improvement above 0.1 %"))],
        ImageStrips = [.. Solvers.Select(s => Strip($"karras, {s}, 6", "samples/karras.png")),
            Strip("karras, heun, 32 steps", "samples/teacher.png")],
        Ledger = [new("loss curve", 126_000, 0, 300), new("search: endpoint", 500_000, 0, 1800.4)],
        Warnings = ["The loss curve ran out of images."],
    };

    /// <summary>Two folders of stored images.</summary>
    public static Summary Stored() => Bare() with
    {
        Title = "Stored images",
        Model = null,
        ShownNumber = 0,
        Figures = [Distance, Recall],
        Trials = [.. new[] { "ours", "theirs" }.Select((name, i) => new TrialSummary
        {
            Name = name,
            Number = 0,
            ImagesHash = new string((char)('d' + i), 64),
            Figures = new Dictionary<string, FigureValues>
            { ["fd"] = Values(4 + i, 0.2, 3) with { Whole = 3.5 + i }, ["recall"] = Values(0.5, 0.01, 3) with { Whole = 0.52 } },
        })],
    };

    /// <summary>Nothing but what must be there.</summary>
    public static Summary Bare() => new()
    {
        Title = "Bare",
        Axis = ComparisonAxis.Steps,
        ShownNumber = 1,
        Model = new() { Name = "model", Preconditioning = "edm", Shape = new ImageShape(3, 8, 8) },
        Figures = [],
        Trials = [],
        Manifest = new() { Version = "0.1.0" },
    };

    /// <summary>The verdicts of trials that are sorted by chance only: enough for a page.</summary>
    public static IReadOnlyList<TrialSummary> Judge(IReadOnlyList<TrialSummary> trials) =>
    [
        .. trials.Select(t => t.Role == TrialRole.Teacher ? t : t with
        {
            Verdicts = t.Figures.ToDictionary(f => f.Key, f => Verdict(
                f.Key, f.Value, [.. trials.Where(o => o.Role != TrialRole.Teacher && o.Number == t.Number).Select(o => o.Figures[f.Key])])),
        }),
    ];

    /// <summary>Values around a mean, one a range.</summary>
    public static FigureValues Values(double mean, double spread, int ranges, int phase = 0) =>
        new([.. Enumerable.Range(0, ranges)
            .Select(i => new RangeValue(10_000 * i, 2000, mean + (spread * Math.Sin(1 + phase + (2.1 * i)))))]);

    /// <summary>A strip of blobs, the noisier the worse the method.</summary>
    public static byte[] Png(string path)
    {
        const int tile = 28;
        double noise = path.Contains("karras") ? 0.6 : path.Contains("phase1") ? 0.35 : 0.05;
        var random = new Random(1);
        using var bitmap = new SKBitmap(tile * Columns.Length, tile, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (int x = 0; x < bitmap.Width; x++)
        {
            for (int y = 0; y < tile; y++)
            {
                double dx = ((x % tile) - 13.5) / (4 + (x / tile)), dy = (y - 13.5) / 9;
                byte v = (byte)Math.Clamp(
                    255 * (Math.Exp(-Math.Pow((dx * dx) + (dy * dy), 2)) + (noise * (random.NextDouble() - 0.5))), 0, 255);
                bitmap.SetPixel(x, y, new SKColor(v, v, v));
            }
        }

        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

    private static readonly FigureSummary Distance = new("fd", "FD (garment features)", "FD",
        "Fréchet distance between samples and test images on the 64 features of a small classifier of the same data. It is not "
            + "comparable with distances on other features.")
    {
        Floor = 0.83,
        FloorImages = 2000,
        FeatureHash = new string('f', 64),
        ReferenceHash = new string('c', 64),
        ReferenceImages = 10_000,
    };

    private static readonly FigureSummary Recall = new(
        "recall", "recall (garment features)", "recall", "Share of real images near a sample.", true, new string('f', 64),
        new string('c', 64));

    private static readonly FigureSummary Endpoint = new(
        "endpoint", "endpoint RMS", "endpoint RMS", "Distance to the teacher's images.");

    private static IEnumerable<LossPointSummary> Curve()
    {
        var random = new Random(7);
        for (int i = 0; i < 80; i++)
        {
            double sigma = 0.002 * Math.Pow(40_000, i / 79.0);
            double fit = 0.25 * sigma * sigma / (0.25 + (sigma * sigma)) * (0.25 + (0.7 / (1 + Math.Pow(0.4 / sigma, 1.2))));
            double width = 0.03 + (0.2 * Math.Exp(-i / 12.0)), loss = fit * (1 + (width * (random.NextDouble() - 0.5)));
            yield return new(sigma, loss, loss * (1 - width), loss * (1 + width), fit);
        }
    }

    private static IEnumerable<double> Rho(int steps) =>
        Enumerable.Range(0, steps + 1)
            .Select(i => Math.Pow(Math.Pow(80, 1 / 7.0) + (i / (double)steps * (Math.Pow(0.002, 1 / 7.0) - Math.Pow(80, 1 / 7.0))), 7));

    private static TrialSummary Trial(string schedule, string? tuning, double mean, double spread, double? j0, double? j1) => new()
    {
        Name = $"{schedule}{(tuning is null ? "" : $" + {tuning}")}, euler",
        Number = 4,
        Schedule = schedule,
        Source = ScheduleSource.Standard,
        Tuning = tuning,
        Solver = "euler",
        Steps = 4,
        EvaluationsPerImage = 4,
        Sigmas = [.. Rho(4)],
        LossPower0 = j0 is { } a ? new(a, a * 0.988, a * 1.012) : null,
        LossPower1 = j1 is { } b ? new(b, b * 0.98, b * 1.02) : null,
        Figures = new Dictionary<string, FigureValues>
        { ["fd"] = Values(mean, spread, 5), ["recall"] = Values(1 / (1 + (mean / 30)), 0.004, 5) },
    };

    private static Verdict Verdict(string key, FigureValues values, FigureValues[] all)
    {
        FigureValues best = key == "recall" ? all.MaxBy(v => v.Mean)! : all.MinBy(v => v.Mean)!;
        double difference = values.Mean - best.Mean;
        return ReferenceEquals(values, best) ? new(Standing.Best, 0)
            : new(Math.Abs(difference) > 0.05 * Math.Abs(best.Mean) ? Standing.Behind : Standing.Undecided, difference,
                0.05 * Math.Abs(best.Mean));
    }

    private static IEnumerable<TrialSummary> Cells()
    {
        string[] schedules = ["karras", "log-snr", "uniform-t", "cosine", "phase1", "gits", "endpoint"];
        return
            from number in new[] { 4, 6, 8, 10 }
            from schedule in schedules
            from solver in Solvers
            from target in schedule == "endpoint" ? Solvers : new string?[] { null }
            where target is null || (target == "heun") == (solver == "heun") // Heun takes other numbers of steps
            let steps = solver == "heun" ? number / 2 : number
            let order = Array.IndexOf(Solvers, solver)
            let kind = Array.IndexOf(schedules, schedule)
            let bad = target is null || target == solver ? 1
                : 1 + (0.15 * Math.Abs(order - Array.IndexOf(Solvers, target))) - (order == 4 ? 0.2 : 0)
            let value = bad * 260.0 / Math.Pow(number, 1 + (0.12 * order)) / (1 + (0.25 * kind))
            select new TrialSummary
            {
                Name = $"{schedule}{(target is null || target == solver ? "" : $" of {target}")}, {solver}, {number}",
                Number = number,
                Schedule = schedule,
                FoundFor = target,
                Source = kind < 4 ? ScheduleSource.Standard : kind == 4 ? ScheduleSource.Phase1 : ScheduleSource.OtherSearch,
                Solver = solver,
                Steps = steps,
                EvaluationsPerImage = number,
                Sigmas = [.. StandardSchedule.Karras(2 + kind).Create(steps, 0.002, 80).Sigmas],
                Figures = new Dictionary<string, FigureValues>
                {
                    ["fd"] = Values(value, 0.02 * value, 3, number + kind + order),
                    ["endpoint"] = Values(value / 100, 0.0004, 3, number + kind)
                },
                Seconds = 3.2 * number,
            };
    }

    private static ImageStripSummary Strip(string trial, string path) => new(trial, 4, path, [.. Columns.Select(c => (long)c)]);

    private static TuningRoundSummary Round(int round, string schedule, int updates, double end)
    {
        var random = new Random(round);
        return new()
        {
            Round = round,
            Schedule = schedule,
            Tuning = "trajectory",
            Sigmas = Found,
            Loss = "trajectory",
            HeldOutMetric = "squared distance to the teacher's endpoint",
            StopReason = "no improvement in 5 checks",
            Seconds = updates * 0.17,
            BestUpdate = updates - 100,
            Points =
            [
                .. Enumerable.Range(0, updates + 1).Select(u => new TuningPointSummary(
                    u,
                    u == 0 ? null : (0.01 + (0.08 * Math.Exp(-u / 150.0))) * (0.8 + (0.4 * random.NextDouble())) / round,
                    u % 20 == 0 ? end + (20 / round * Math.Exp(-u / 120.0)) + (u > updates - 100 ? (u - updates + 100) * 0.004 : 0)
                        : null)),
            ],
        };
    }
}
