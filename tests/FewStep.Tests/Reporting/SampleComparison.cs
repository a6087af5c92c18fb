using FewStep.Models;
using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Experiments;

namespace FewStep.Tests.Reporting;

/// <summary>An invented comparison with everything that a page can show.</summary>
internal static class SampleComparison
{
    private static readonly string[] Solvers = ["euler", "heun", "dpmpp:2", "unipc:3", "ipndm:3"];
    private static readonly string[] Standards = ["karras", "log-snr", "uniform-t", "cosine"];

    public static ComparisonSummary Full() => new()
    {
        Title = "Fashion-MNIST 32x32: solvers and schedules compared",
        Axis = ComparisonAxis.Evaluations,
        Numbers = [4, 6, 8, 10],
        ShownNumber = 6,
        Model = new ModelSummary { Name = "sample", Hash = new string('a', 64), Parameters = 1_900_000, Preconditioning = "edm", Shape = new ImageShape(1, 28, 28), Classes = 10 },
        Data = new DataSummary { Name = "Fashion-MNIST", Hash = new string('b', 64), TrainingImages = 10_000, HeldOutImages = 10_000 },
        Metric = new MetricSummary { Name = "FD (fashion features)", ShortName = "FD", Description = "Fréchet distance between samples and real images; lower is better.", Floor = 0.83, FloorImages = 1000 },
        Teacher = new ComparisonTeacherSummary("heun", "karras", 32, 64, Ranges(3.1, 0.1, 7)),
        Seeds = new ComparisonSeedsSummary(0, 1000, 3),
        Cells = ComparisonVerdicts.Judge([.. Cells()]),
        LeftOut = [new(5, "heun", "no number of steps takes 5 evaluations"), new(4, "ipndm:3", "A sample holds NaN.", "cosine")],
        Searches =
        [
            Search("phase1", null, 0, 126_000), Search("gits", null, 15_616, 0), .. Solvers.Select((s, i) => Search("endpoint", s, 90_000 + (i * 12_345), 0)),
        ],
        ImageStrips = [.. Solvers.SelectMany(s => Standards.Append("endpoint").Select(n => Strip(n, s))).Take(8), Strip("teacher: heun on karras, 32 steps", "heun")],
        Ledger = [new("loss curve", 126_000, 0, 300), new("search: endpoint", 500_000, 0, 1800.4), new("samples of the comparison", 4_000_000, 0, 14_400)],
        Manifest = new ManifestSummary { Version = "0.1.0", Started = new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero), CommandLine = "fewstep compare", Options = new Dictionary<string, string> { ["--nfe"] = "4,6,8,10" } },
        Warnings = ["The loss curve ran out of images."],
    };

    private static IEnumerable<ComparisonCellSummary> Cells()
    {
        foreach (int number in new[] { 4, 6, 8, 10 })
        {
            foreach (string schedule in (string[])[.. Standards, "phase1", "gits", "endpoint"])
            {
                foreach (string solver in Solvers)
                {
                    bool searched = schedule == "endpoint";
                    foreach (string? target in searched ? Solvers : new string?[] { null })
                    {
                        int steps = solver == "heun" ? number / 2 : number;
                        int order = Array.IndexOf(Solvers, solver), kind = Array.IndexOf([.. Standards, "phase1", "gits", "endpoint"], schedule);
                        if (target is not null && (target == "heun") != (solver == "heun"))
                        {
                            continue;
                        }

                        double bad = target is null || target == solver ? 1 : 1 + (0.15 * Math.Abs(order - Array.IndexOf(Solvers, target))) - (order == 4 ? 0.2 : 0);
                        double value = bad * 260.0 / Math.Pow(number, 1 + (0.12 * order)) / (1 + (0.25 * kind));
                        yield return new ComparisonCellSummary
                        {
                            Number = number,
                            Schedule = schedule,
                            FoundFor = target,
                            Source = kind < Standards.Length ? ScheduleSource.Standard : kind == 4 ? ScheduleSource.Phase1 : ScheduleSource.OtherSearch,
                            Solver = solver,
                            Steps = steps,
                            EvaluationsPerImage = number,
                            Sigmas = [.. StandardSchedule.Karras(2 + kind).Create(steps, 0.002, 80).Sigmas],
                            Distance = Ranges(value, 0.02 * value, number + kind + order),
                            Endpoint = Ranges(value / 100, 0.0004, number + (3 * kind) + order),
                            Seconds = 3.2 * number,
                        };
                    }
                }
            }
        }
    }

    private static DistanceSummary Ranges(double mean, double spread, int phase) => new([.. Enumerable.Range(0, 3).Select(r => new SeedRangeSummary(r * 1000, 1000, mean + (spread * Math.Sin(phase + (2.1 * r)))))]);

    private static ComparisonSearch Search(string optimizer, string? solver, long evaluations, long curve) => new(
        new string('c', 64),
        optimizer,
        evaluations,
        curve,
        12.5,
        [.. new[] { 4, 6, 8, 10 }.Select(n => new ComparisonFoundSchedule(
            [.. StandardSchedule.Karras().Create(n, 0.002, 80).Sigmas], ScheduleTerminal.SigmaMin, $"{optimizer} objective", "coordinate search", 0.1, "no improvement above 0.1 %"))],
        solver);

    private static ImageStripSummary Strip(string schedule, string solver) => new()
    {
        Label = schedule.StartsWith("teacher", StringComparison.Ordinal) ? schedule : $"{schedule}, {solver}",
        Schedule = schedule,
        Solver = solver,
        EvaluationsPerImage = 6,
        Path = $"samples/{schedule.Replace(':', '-').Replace(' ', '-')}-{solver.Replace(':', '-')}.png",
        Seeds = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    };
}
