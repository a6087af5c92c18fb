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
    private static readonly int[] Columns = [.. Enumerable.Range(0, 10)];

    public static RunSummary Full() => new()
    {
        Title = "Garments in 4 steps",
        Steps = 4,
        Model = new() { Name = "garments-edm-1.9m", Hash = new string('a', 64), Parameters = 1_912_345, Preconditioning = "edm", Shape = new ImageShape(1, 28, 28), Classes = 10 },
        Data = new() { Name = "Garments 28 x 28", Hash = new string('b', 64), TrainingImages = 60_000, HeldOutImages = 10_000 },
        Metric = new()
        {
            Name = "FD (fashion features)",
            ShortName = "FD",
            Floor = 0.83,
            FloorImages = 2000,
            Description = "Fréchet distance between samples and test images on the 64 features of a small classifier of the same data. It is not comparable with distances on other features.",
        },
        LossCurve = new() { Points = [.. Curve()], ImagesPerPoint = 2048 },
        Schedules =
        [
            new(Karras, ScheduleSource.Standard, [.. Rho(4)], ScheduleTerminal.SigmaMin),
            new("log-SNR", ScheduleSource.Standard, [80, 5.657, 0.4, 0.02828, 0.002], ScheduleTerminal.SigmaMin),
            new("uniform t", ScheduleSource.Standard, [80, 9.9, 2.6, 0.72, 0.002], ScheduleTerminal.SigmaMin),
            new("cosine", ScheduleSource.Standard, [80, 2.41, 1, 0.41, 0.002], ScheduleTerminal.Zero),
            new(Phase1, ScheduleSource.Phase1, [80, 6.31, 1.97, 0.618, 0.002], ScheduleTerminal.SigmaMin),
            new(Literal, ScheduleSource.Phase1, [80, 1.21, 0.287, 0.0442, 0.002], ScheduleTerminal.SigmaMin),
            new("Alternation, round 2", ScheduleSource.Alternation, [80, 11.4, 3.05, 0.71, 0.002], ScheduleTerminal.SigmaMin),
            new(TeacherName, ScheduleSource.Teacher, [.. Rho(8)], ScheduleTerminal.SigmaMin),
        ],
        Evaluations =
        [
            Evaluate(Karras, null, 55.3, 0.9, 1.91, 0.31, EvaluationRole.Baseline),
            Evaluate("log-SNR", null, 53.2, 0.8, 2.32, 0.24),
            Evaluate("uniform t", null, 33.8, 0.5, 1.74, 0.42),
            Evaluate("cosine", null, 36.1, 0.7, 1.69, 0.55),
            Evaluate(Literal, null, 79.0, 1.2, 2.05, 0.173),
            Evaluate(Phase1, null, 27.1, 0.4, 1.402, 0.51),
            Evaluate(Phase1, "denoise", 36.8, 0.6, 1.402, 0.51),
            Evaluate(Karras, "trajectory", 5.15, 0.1, 1.91, 0.31),
            Evaluate(Phase1, "trajectory", 5.41, 0.12, 1.402, 0.51, EvaluationRole.Result),
            Evaluate(TeacherName, null, 3.85, 0.07, null, null, EvaluationRole.Teacher) with { Solver = "heun", Steps = 8, EvaluationsPerImage = 16 },
        ],
        ImageStrips =
        [
            Strip("Karras", Karras, null, "euler", 4, "samples/karras.png"),
            Strip("Phase 1", Phase1, null, "euler", 4, "samples/phase1.png"),
            Strip("Phase 1 + 2", Phase1, "trajectory", "euler", 4, "samples/phase2.png"),
            Strip("Fine teacher", TeacherName, null, "heun", 16, "samples/teacher.png"),
        ],
        TuningRounds = [Round(1, Phase1, 900, 5.5), Round(2, Phase1, 480, 5.3), Round(1, Karras, 820, 5.25)],
        Ledger = [new("loss curve", 131_072, 0, 71.2), new("search", 0, 0, 0.42), new("tuning", 1_260_000, 1480, 251.9), new("sampling for evaluation", 400_000, 0, 3725)],
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
        Warnings = ["Tuning by the denoise loss made samples worse (27.1 to 36.8); its weights were not kept.", "Tuned on Karras' sigmas the model is slightly better than on Phase 1's."],
    };

    /// <summary>Nothing but what must be there.</summary>
    public static RunSummary Bare() => new()
    {
        Title = "Bare",
        Steps = 1,
        Model = new() { Name = "model", Preconditioning = "edm", Shape = new ImageShape(3, 8, 8) },
        Metric = new() { Name = "FD (x)", ShortName = "FD", Description = "A distance." },
        Manifest = new() { Version = "0.1.0" },
    };

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
                byte v = (byte)Math.Clamp(255 * (Math.Exp(-Math.Pow((dx * dx) + (dy * dy), 2)) + (noise * (random.NextDouble() - 0.5))), 0, 255);
                bitmap.SetPixel(x, y, new SKColor(v, v, v));
            }
        }

        using SKData data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return data.ToArray();
    }

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
        Enumerable.Range(0, steps + 1).Select(i => Math.Pow(Math.Pow(80, 1 / 7.0) + (i / (double)steps * (Math.Pow(0.002, 1 / 7.0) - Math.Pow(80, 1 / 7.0))), 7));

    private static EvaluationSummary Evaluate(string schedule, string? tuning, double mean, double spread, double? j0, double? j1, EvaluationRole role = EvaluationRole.Comparison) => new()
    {
        Schedule = schedule,
        Tuning = tuning,
        Solver = "euler",
        Steps = 4,
        EvaluationsPerImage = 4,
        Role = role,
        LossPower0 = j0 is { } a ? new(a, a * 0.988, a * 1.012) : null,
        LossPower1 = j1 is { } b ? new(b, b * 0.98, b * 1.02) : null,
        Distance = new([.. new[] { -1.2, 0.1, 1.1, -0.6, 0.6 }.Select((z, i) => new SeedRangeSummary(10_000 * i, 2000, mean + (z * spread)))]),
    };

    private static ImageStripSummary Strip(string label, string schedule, string? tuning, string solver, double evaluations, string path) => new()
    {
        Label = label,
        Schedule = schedule,
        Tuning = tuning,
        Solver = solver,
        EvaluationsPerImage = evaluations,
        Path = path,
        Seeds = [.. Columns.Select(c => (long)c)],
    };

    private static TuningRoundSummary Round(int round, string schedule, int updates, double end)
    {
        var random = new Random(round);
        return new()
        {
            Round = round,
            Schedule = schedule,
            Tuning = "trajectory",
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
                    u % 20 == 0 ? end + (20 / round * Math.Exp(-u / 120.0)) + (u > updates - 100 ? (u - updates + 100) * 0.004 : 0) : null)),
            ],
        };
    }
}
