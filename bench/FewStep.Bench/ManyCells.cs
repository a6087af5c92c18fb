using System.Diagnostics;
using FewStep.Denoising;
using FewStep.Experiments;
using FewStep.Metrics;
using FewStep.Models;
using FewStep.Noise;
using FewStep.Shards;
using FewStep.Solvers;

namespace FewStep.Bench;

/// <summary>An experiment of very many cells (trials x ranges of seeds) through the library's own code: its files, its memory, its report.
/// An image is one number and a step costs next to nothing; cells may also be written without sampling, by the store alone.</summary>
internal static class ManyCells
{
    private const string Usage = "cells (fill | whole | share | join) FOLDER [--cells N] [--ranges N] [--shards N] [--left N]";
    private const int Window = 1000; // cells whose time is said
    private static readonly string[] Solvers = ["euler", "heun", "dpmpp:2", "unipc:3", "ipndm:3"];
    private static readonly int[] Steps = [1, 2, 3, 4];

    /// <summary>Runs one of them: <c>fill</c> writes cells into the store (of <c>--shards</c> into their parts) but the last
    /// <c>--left</c>; <c>whole</c> measures those that are missing, and reports; <c>share</c> does the first shard; <c>join</c> joins the
    /// parts, and reports.</summary>
    /// <param name="words">Words after <c>cells</c>.</param>
    public static int Run(string[] words)
    {
        if (words is not [var what, var folder, ..] || what is not ("fill" or "whole" or "share" or "join"))
        {
            Console.Error.WriteLine(Usage);
            return 2;
        }

        int ranges = Number(words, "--ranges", 4), cells = Number(words, "--cells", 1_000_000), shards = Number(words, "--shards", 0);
        set_num_threads(1);
        var watch = Stopwatch.StartNew();
        using var model = new Model(new Shrinking(), new ModelSummary
        { Name = "one number", Hash = new string('0', 64), Preconditioning = "none", Shape = Shrinking.Pixel }, null);
        var trials = Trials(model, cells / ranges);
        var options = new ExperimentOptions
        { Title = "many cells", Folder = folder, Samples = 2, Ranges = ranges, BatchSize = 2, ShownSeeds = [] };
        Say(string.Create(CultureInfo.InvariantCulture, $"{trials.Count:N0} trials on {ranges} ranges made"), watch);
        switch (what)
        {
            case "fill":
                Fill(options, trials, shards, cells - Number(words, "--left", 0));
                break;
            case "share":
                Measure(options with { Division = new(ShardStage.Of(new Shard(1, shards)), folder, ["cells"]) }, trials);
                break;
            default:
                var division = what == "join" ? new Division(ShardStage.Merge, folder, ["cells"]) : null;
                var summary = Measure(options with { Division = division }, trials)!;
                watch.Restart();
                Report.Write(summary, folder);
                division?.Finish();
                Say("report written", watch);
                break;
        }

        Files(folder);
        return 0;
    }

    private static void Fill(ExperimentOptions options, IReadOnlyList<Trial> trials, int shards, int cells)
    {
        var watch = Stopwatch.StartNew();
        var experiment = new Experiment(options);
        var measurement = new TrialMeasurement([new MeanMetric()], MeasurementStore.Open(null), options, experiment.Cost);
        var work = new DividedTrials(measurement, MeasurementStore.Open(null), trials, options, experiment.Cost, null, default);
        string run = Sha256.Of(work.Identity), figure = measurement.Identities[0];
        var parts = Enumerable.Range(1, shards).Select(i => Part.Begin(options.Folder!, new Shard(i, shards), run, ["cells"])).ToList();
        var stores = parts.Select(p => p.Folder).DefaultIfEmpty(options.Folder).Select(MeasurementStore.Open).ToList();
        var left = stores.Select(_ => new List<MeasuredRange>()).ToList();
        // Undivided work goes range by range.
        var order = shards > 0 ? work.Cells(shards).Select(c => (c[0].Trial, c[0].Range, Owner: c[0].Owner - 1))
            : options.SeedRanges.SelectMany(range => trials.Select(trial => (Trial: trial, Range: range, Owner: 0)));
        int count = 0;
        foreach (var (trial, range, owner) in order.Take(cells))
        {
            double value = 1 + (count++ % 9973 * 1e-3);
            left[owner].Add(new MeasuredRange(trial.ImagesKey(range, options.BatchSize), trial.ToString(), range.First, range.Count,
                2 * trial.Sampler.Steps, 0.01, new Dictionary<string, IReadOnlyList<MetricValue>> { [figure] = [new(value)] }));
            if (left[owner].Count == MeasurementStore.RangesOfFile)
                Keep(owner);
        }

        for (int owner = 0; owner < stores.Count; owner++)
            Keep(owner);
        parts.ForEach(p => p.Mark(done: true));
        Say(string.Create(CultureInfo.InvariantCulture, $"{count:N0} cells written, {MeasurementStore.RangesOfFile:N0} at a time"), watch);

        void Keep(int owner)
        {
            stores[owner].Add([.. left[owner]]);
            left[owner].Clear();
        }
    }

    private static Summary? Measure(ExperimentOptions options, IReadOnlyList<Trial> trials)
    {
        var (watch, lap, measured) = (Stopwatch.StartNew(), new Stopwatch(), 0);
        var windows = new List<double>();
        var told = new Told(progress =>
        {
            if (progress.Stage != "comparison" || ++measured % Window != 1)
                return;
            if (lap.IsRunning)
                windows.Add(lap.Elapsed.TotalSeconds);
            lap.Restart();
        });
        var summary = new Experiment(options).RunStage(trials, [new MeanMetric()], told, default);
        string laps = windows.Count == 0 ? "" : string.Create(CultureInfo.InvariantCulture,
            $", {Window:N0} of them in {windows[0]:F1} s at first, {windows[^1]:F1} s at last, {windows.Max():F1} s at most");
        string stage = options.Division is { } division ? $"{division.Stage}" : "experiment";
        Say(string.Create(CultureInfo.InvariantCulture, $"{stage}: {measured:N0} cells measured{laps}"), watch);
        return summary;
    }

    private static List<Trial> Trials(Model model, int count)
    {
        var solvers = Solvers.Select(SolverCatalog.Find).ToArray();
        var trials = new List<Trial>(count);
        for (int i = 0; i < count; i++)
        {
            int steps = Steps[i % Steps.Length], schedule = i / (Steps.Length * Solvers.Length);
            var solver = solvers[i / Steps.Length % Solvers.Length];
            double rho = 2 + (schedule * 1e-4);
            var sigmas = Enumerable.Range(0, steps + 1).Select(k => 0.002 + (80 * Math.Pow(1 - ((double)k / (steps + 1)), rho)));
            var origin = new SamplerOrigin { Schedule = string.Create(CultureInfo.InvariantCulture, $"schedule-{schedule:D6}") };
            trials.Add(new Trial(model, new Sampler(new SamplingSchedule(sigmas), solver) { Origin = origin }));
        }

        return trials;
    }

    private static void Files(string folder)
    {
        var files = new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).ToList();
        foreach (var kind in files.GroupBy(f => f.Name.StartsWith("measurements", StringComparison.Ordinal) ? "measurements" : f.Name))
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{kind.Key}: {kind.Count():N0} files, {kind.Sum(f => f.Length) / 1e6:N1} MB"));
        }
    }

    private static int Number(string[] words, string option, int usual) =>
        Array.IndexOf(words, option) is >= 0 and var at && at + 1 < words.Length
            ? int.Parse(words[at + 1], NumberStyles.None, CultureInfo.InvariantCulture) : usual;

    private static void Say(string what, Stopwatch watch) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{what}: {watch.Elapsed.TotalSeconds:F1} s, {Environment.CpuUsage.TotalTime.TotalSeconds:F1} processor seconds so far; "
            + $"peak memory so far {PeakMemory.Gigabytes():F2} GB"));

    /// <summary>The ideal denoiser of Gaussian data around 0, an image of one number.</summary>
    private sealed class Shrinking : IDenoiser
    {
        public static readonly ImageShape Pixel = new(1, 1, 1);
        public ImageShape Shape => Pixel;
        public int Classes => 0;
        public double SigmaMin => 0.002;
        public double SigmaMax => 100;
        public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels) => x * (0.25 / (sigma * sigma + 0.25)).view(-1, 1, 1, 1);
    }

    /// <summary>How far the images' mean is from 0.</summary>
    private sealed class MeanMetric : IMetric
    {
        public IReadOnlyList<MetricFigure> Figures { get; } =
            [new("mean", "mean of the images", "mean", "How far it is from 0.", HigherIsBetter: false)];
        public string Identity => "mean";
        public bool ComparesWithRealImages => false;
        public IMetricMeasurement Begin(int images, SeedRange? seeds) => new Measurement();

        private sealed class Measurement : IMetricMeasurement
        {
            private double _sum;

            public void Add(MeasuredImages batch) => _sum += batch.Samples.sum().item<float>();
            public IReadOnlyList<MetricValue> Finish(CancellationToken cancellation) => [new(Math.Abs(_sum))];

            public void Dispose()
            {
                // Nothing is held.
            }
        }
    }

    private sealed class Told(Action<WorkProgress> tell) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => tell(value);
    }
}
