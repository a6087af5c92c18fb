using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Platform;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>Searches schedules for a comparison and keeps them in its folder: a search whose model, options and seeds are the same is not repeated, and further numbers of steps are searched alone.</summary>
internal sealed class ComparisonSearches
{
    private readonly ComparisonModel _model;
    private readonly ComparisonOptions _options;
    private readonly List<ComparisonSearch> _all;
    private readonly List<ComparisonSearch> _used = [];

    private ComparisonSearches(ComparisonModel model, ComparisonOptions options, IReadOnlyList<ComparisonSearch> known) => (_model, _options, _all) = (model, options, [.. known]);

    /// <summary>The searches that gave schedules to this comparison, whenever they ran.</summary>
    public IReadOnlyList<ComparisonSearch> Used => _used;

    /// <summary>Number of searches that ran now.</summary>
    public int Ran { get; private set; }

    private string FilePath => Path.Combine(_options.Folder, ComparisonSearchFile.Name);

    /// <summary>Opens what the folder holds.</summary>
    /// <exception cref="InvalidInputException">Its file is invalid.</exception>
    public static ComparisonSearches Open(ComparisonModel model, ComparisonOptions options) =>
        new(model, options, ComparisonSearchFile.Read(Path.Combine(options.Folder, ComparisonSearchFile.Name)));

    /// <summary>Refuses optimisers that cannot work with the model, before anything is done.</summary>
    /// <exception cref="InvalidInputException">An optimiser needs what is not there, or an option is out of range.</exception>
    public static void Check(ComparisonModel model, ComparisonOptions options)
    {
        foreach (var searched in options.Schedules.OfType<ComparisonSchedule.Searched>())
        {
            var entry = searched.Optimizer.Entry;
            if (entry.NeedsLossCurve && model.LossCurve is null)
            {
                throw new InvalidInputException($"The optimiser {entry.Name} needs a loss curve: give the images that the model was trained on, or a measured curve.");
            }

            if (!entry.NeedsLossCurve)
            {
                searched.Optimizer.Create(Context(model, options, options.Solvers[0], model.Denoiser, model.LossCurve));
            }
        }
    }

    /// <summary>The schedules of an optimiser for some numbers of steps, searched where they are not known.</summary>
    /// <param name="searched">The optimiser.</param>
    /// <param name="solver">The solver that they are for; null for an optimiser that looks at none.</param>
    /// <param name="steps">Numbers of steps, at least one.</param>
    /// <param name="progress">Told how the search comes along.</param>
    /// <param name="cancellation">Stops the search.</param>
    /// <returns>Each number of steps once.</returns>
    /// <exception cref="InvalidInputException">The search is impossible.</exception>
    public IReadOnlyDictionary<int, SamplingSchedule> Find(ComparisonSchedule.Searched searched, ISolver? solver, IReadOnlyList<int> steps, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        string key = Key(searched.Optimizer, solver);
        // An optimiser need not use the curve that it is offered, and then the curve must not be measured for the comparison's sake.
        var known = _all.Where(s => s.Key == key && (s.LossCurve is null || s.LossCurve == CurveIdentity(_model.LossCurve!()))).ToList();
        // One step leaves nothing to search.
        int[] missing = [.. steps.Where(n => n > 1 && known.All(s => s.Schedules.All(f => f.Steps != n))).Order()];
        if (missing.Length > 0)
        {
            var search = Search(key, searched.Optimizer, solver, missing, progress, cancellation);
            known.Add(search);
            _all.Add(search);
            ComparisonSearchFile.Write(FilePath, _all);
            Ran++;
        }

        var found = steps.Where(n => n > 1).ToDictionary(n => n, n => known.SelectMany(s => s.Schedules).First(f => f.Steps == n));
        foreach (var search in known.Where(s => s.Schedules.Any(f => found.ContainsValue(f)) && !_used.Contains(s)))
        {
            _used.Add(search);
        }

        foreach (var (_, schedule) in found)
        {
            WriteFile(searched.Optimizer, solver, schedule, known);
        }

        var schedules = found.ToDictionary(f => f.Key, f => f.Value.ToSchedule(FilePath));
        if (steps.Contains(1))
        {
            schedules[1] = new SamplingSchedule([_model.Denoiser.SigmaMax, _model.Denoiser.SigmaMin]);
        }

        return schedules;
    }

    private static ScheduleSearchContext Context(ComparisonModel model, ComparisonOptions options, ISolver? solver, IDenoiser denoiser, Func<LossCurve>? curve) => new()
    {
        Denoiser = denoiser,
        Solver = solver ?? options.Solvers[0],
        LossCurve = curve,
        TrainingImages = model.TrainingImages,
        Images = options.SearchImages,
        FirstSeed = options.SearchFirstSeed,
        BatchSize = options.BatchSize,
    };

    private ComparisonSearch Search(string key, ScheduleOptimizerChoice optimizer, ISolver? solver, int[] steps, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var curveWatch = new Stopwatch();
        LossCurve? used = null;
        LossCurve Curve()
        {
            curveWatch.Start();
            used = _model.LossCurve!();
            curveWatch.Stop();
            return used;
        }

        var network = new CountingDenoiser(_model.Denoiser);
        var watch = Stopwatch.StartNew();
        var request = new ScheduleSearchRequest { Steps = steps, SigmaMin = network.SigmaMin, SigmaMax = network.SigmaMax };
        string title = solver is null ? $"searching {optimizer.Text}" : $"searching {optimizer.Text} for {solver.Name}";
        var results = optimizer.Create(Context(_model, _options, solver, network, _model.LossCurve is null ? null : Curve)).Search(request, new Titled(title, progress), cancellation);
        return new ComparisonSearch(
            key,
            optimizer.Text,
            network.Images,
            used?.Origin.NetworkEvaluations ?? 0,
            Math.Max(0, (watch.Elapsed - curveWatch.Elapsed).TotalSeconds),
            [.. results.Take(steps.Length).Select(r => new ComparisonFoundSchedule([.. r.Schedule.Sigmas], r.Schedule.Terminal, r.Objective, r.Search, r.Loss.Value, r.StopReason, r.Loss.Low, r.Loss.High))],
            solver?.Name,
            used is null ? null : CurveIdentity(used));
    }

    private string Key(ScheduleOptimizerChoice optimizer, ISolver? solver)
    {
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{_model.Identity}\n{_model.Denoiser.SigmaMin:R} {_model.Denoiser.SigmaMax:R}\n{_model.TrainingHash}\n{optimizer.Text}\n{solver?.Name}\n{_options.SearchImages}\n{_options.SearchFirstSeed}\n{_model.LossCurve is not null}");
        return Hash(text);
    }

    private static string CurveIdentity(LossCurve curve) => Hash(string.Join(' ', curve.Sigmas.Concat(curve.Loss).Select(v => v.ToString("R", CultureInfo.InvariantCulture))));

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    // A file of its own for each schedule, so that the other verbs can take it.
    private void WriteFile(ScheduleOptimizerChoice optimizer, ISolver? solver, ComparisonFoundSchedule found, List<ComparisonSearch> searches)
    {
        var search = searches.First(s => s.Schedules.Contains(found));
        string name = string.Concat($"{optimizer.Text}{(solver is null ? "" : $"-{solver.Name}")}".Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '-'));
        string path = Path.Combine(_options.Folder, "schedules", FormattableString.Invariant($"{name}-n{found.Steps}{ScheduleFile.Extension}"));
        var record = new ScheduleRecord(found.ToSchedule(FilePath))
        {
            Solver = solver?.Name,
            Objective = found.Objective,
            Loss = found is { LossLow: { } low, LossHigh: { } high } ? new ScheduleLoss(found.Loss, low, high) : null,
            Evaluations = search.NetworkEvaluations + search.LossCurveEvaluations,
            ModelHash = _model.Hash,
            DataHash = _model.TrainingHash,
            Seed = _options.SearchFirstSeed,
        };
        ScheduleFile.Write(path, record);
    }

    /// <summary>Puts the search's name before the stage that the optimiser reports.</summary>
    private sealed class Titled(string title, IProgress<WorkProgress>? progress) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value) => progress?.Report(value with { Stage = value.Stage.Length == 0 ? title : $"{title}: {value.Stage}" });
    }
}
