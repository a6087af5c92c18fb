using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Experiments;

/// <summary>What the searches of an experiment may use, and where they keep what they find.</summary>
internal sealed record SearchSources
{
    public required Model Model { get; init; }

    /// <summary>Folder for searches and schedules; null (default) to keep none.</summary>
    public string? Folder { get; init; }

    /// <summary>Its training loss curve, measured when first asked for; null (default) where it cannot be had.</summary>
    public Func<LossCurve>? LossCurve { get; init; }

    /// <summary>Images that it was trained on; null (default) where there are none.</summary>
    public Func<ITrainingImages>? TrainingImages { get; init; }

    /// <summary>Hash of those images; null (default) where there are none.</summary>
    public string? TrainingHash { get; init; }

    /// <summary>Latents of a search with trajectories, 2 or more; null (default) for each search's own number.</summary>
    public int? Images { get; init; }

    /// <summary>Images in one call of the denoiser; default 100.</summary>
    public int BatchSize { get; init; } = 100;

    /// <summary>Seed of the first latents of searches; default the searches' own.</summary>
    public long FirstSeed { get; init; } = SeedPlan.FirstSearched;

    /// <summary>Whether only what was found before is used, and nothing is written; default false.</summary>
    public bool IsReadOnly { get; init; }

    public ScheduleSearchContext Context(ISolver solver, IDenoiser denoiser, Func<LossCurve>? curve) => new()
    {
        Denoiser = denoiser,
        Solver = solver,
        LossCurve = curve,
        TrainingImages = TrainingImages,
        Images = Images,
        FirstSeed = FirstSeed,
        BatchSize = BatchSize,
    };
}

/// <summary>Searches schedules and keeps them in a folder: a search of the same model, options and seeds runs for new numbers of steps
/// alone.</summary>
internal sealed class SearchStore(SearchSources sources, ISolver usual)
{
    public const string FileName = "searches.json";
    private const int CurrentVersion = 2;
    private readonly List<StoredSearch> _all = [];
    private readonly List<StoredSearch> _used = [];

    /// <summary>The searches that gave schedules, whenever they ran.</summary>
    public IReadOnlyList<SearchSummary> Used =>
        [.. _used.Select(s => new SearchSummary(s.Search, s.FoundFor, [.. s.Found.Select(f => f.Steps)], s.NetworkEvaluations,
            s.LossCurveEvaluations, s.Seconds, s.Found[^1].StopReason))];

    /// <summary>Whether only what was found before is used.</summary>
    public bool IsReadOnly => sources.IsReadOnly;

    private string? FilePath => sources.Folder is null ? null : Path.Combine(sources.Folder, FileName);

    public static SearchStore Open(SearchSources sources, ISolver usual)
    {
        var store = new SearchStore(sources, usual);
        if (store.FilePath is not { } path || !File.Exists(path))
            return store;
        var content = JsonFile.Read<Content>(path);
        if (content.Version != CurrentVersion)
        {
            throw new InvalidInputException(
                $"{path} has version {content.Version}; this program reads version {CurrentVersion}: delete it or choose another folder.");
        }

        foreach (var search in content.Searches)
        {
            (search ?? throw new InvalidInputException($"{path} holds null in its searches; delete it to have all searched again."))
                .Check(path);
            store._all.Add(search);
        }

        return store;
    }

    /// <summary>Refuses searches that cannot work with the model, before anything is done.</summary>
    public static void Check(SearchSources sources, TrialPlanOptions options)
    {
        foreach (var searched in options.Schedules.OfType<ScheduleChoice.Searched>())
        {
            var entry = searched.Optimizer.Entry;
            if (entry.NeedsLossCurve && sources.LossCurve is null)
            {
                throw new InvalidInputException(
                    $"The search {entry.Name} needs a loss curve: give the images that the model was trained on, or a measured curve.");
            }

            if (!entry.NeedsLossCurve)
                searched.Optimizer.Create(sources.Context(options.Solvers[0], sources.Model.Denoiser, sources.LossCurve));
        }
    }

    /// <summary>The schedules of a search for some numbers of steps, searched where they are not known.</summary>
    public IReadOnlyDictionary<int, SamplingSchedule> Find(
        ScheduleOptimizerChoice search, ISolver? solver, IReadOnlyList<int> steps, IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        string key = Key(search, solver);
        // A search need not use the curve that it is offered, and then the curve must not be measured for the experiment's sake.
        var known = _all.Where(s => s.Key == key && (s.LossCurve is null || s.LossCurve == CurveIdentity(sources.LossCurve!()))).ToList();
        // One step leaves nothing to search.
        int[] missing = [.. steps.Where(n => n > 1 && known.All(s => s.Found.All(f => f.Steps != n))).Order()];
        if (missing.Length > 0 && sources.IsReadOnly)
            throw Unprepared(search.Text);
        if (missing.Length > 0)
        {
            var ran = Run(key, search, solver, missing, progress, cancellation);
            known.Add(ran);
            _all.Add(ran);
            if (FilePath is { } path)
                JsonFile.Write(path, new Content(CurrentVersion, _all));
        }

        var schedules = new Dictionary<int, SamplingSchedule>();
        foreach (int n in steps.Where(n => n > 1))
        {
            var owner = known.First(s => s.Found.Any(f => f.Steps == n));
            var found = owner.Found.First(f => f.Steps == n);
            if (!_used.Contains(owner))
                _used.Add(owner);
            schedules[n] = found.ToSchedule(FilePath ?? FileName);
            Save(search, solver, owner, found, schedules[n]);
        }

        if (steps.Contains(1))
            schedules[1] = new SamplingSchedule([sources.Model.ScheduleRange.SigmaMax, sources.Model.ScheduleRange.SigmaMin]);
        return schedules;
    }

    /// <summary>A share lacks what all shares need.</summary>
    public static InvalidInputException Unprepared(string what) => new($"There is no {what} in the folder of the results, which all shards "
        + "need and one command makes: run it first with --shard prepare.");

    private static string CurveIdentity(LossCurve curve) =>
        Sha256.Of(string.Join(' ', curve.Sigmas.Concat(curve.Loss).Select(v => v.ToString("R", CultureInfo.InvariantCulture))));

    private StoredSearch Run(
        string key, ScheduleOptimizerChoice search, ISolver? solver, int[] steps, IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        var curveWatch = new Stopwatch();
        LossCurve? used = null;
        LossCurve Curve()
        {
            curveWatch.Start();
            used = sources.LossCurve!();
            curveWatch.Stop();
            return used;
        }

        var network = new CountingDenoiser(sources.Model.Denoiser);
        var watch = Stopwatch.StartNew();
        var request = ScheduleSearchRequest.For(sources.Model, steps);
        string title = solver is null ? $"searching {search.Text}" : $"searching {search.Text} for {solver.Name}";
        var context = sources.Context(solver ?? usual, network, sources.LossCurve is null ? null : Curve);
        var results = search.Create(context).Search(request, new Titled(title, progress), cancellation);
        return new StoredSearch(
            key, search.Text, network.Images, used?.Origin.NetworkEvaluations ?? 0,
            Math.Max(0, (watch.Elapsed - curveWatch.Elapsed).TotalSeconds), [.. results.Take(steps.Length).Select(FoundSchedule.Of)],
            solver?.Name, used is null ? null : CurveIdentity(used));
    }

    private string Key(ScheduleOptimizerChoice search, ISolver? solver) => Sha256.Of(string.Create(
        CultureInfo.InvariantCulture,
        $"{sources.Model.Identity}\n{sources.Model.ScheduleRange.SigmaMin:R} "
            + $"{sources.Model.ScheduleRange.SigmaMax:R}\n{sources.TrainingHash}\n{search.Text}\n"
        + $"{solver?.Name}\n{sources.Images}\n{sources.FirstSeed}\n{sources.LossCurve is not null}"));

    // A file of its own for each schedule, so that the other verbs can take it.
    private void Save(ScheduleOptimizerChoice search, ISolver? solver, StoredSearch owner, FoundSchedule found, SamplingSchedule schedule)
    {
        if (sources.Folder is not { } folder || sources.IsReadOnly)
            return;
        string name = string.Concat($"{search.Text}{(solver is null ? "" : $"-{solver.Name}")}".Select(
            c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' ? c : '-'));
        var origin = new SamplerOrigin
        {
            Schedule = search.Text,
            Source = search.Source,
            Objective = found.Objective,
            Loss = found is { LossLow: { } low, LossHigh: { } high } ? new ScheduleLoss(found.Loss, low, high) : null,
            Evaluations = owner.NetworkEvaluations + owner.LossCurveEvaluations,
            ModelHash = sources.Model.NetworkHash,
            DataHash = sources.TrainingHash,
            Seed = sources.FirstSeed,
        };
        new Sampler(schedule, solver ?? usual) { Origin = origin }
            .Save(Path.Combine(folder, "samplers", FormattableString.Invariant($"{name}-n{found.Steps}{SamplerFile.Extension}")));
    }

    private sealed record Content(int Version, IReadOnlyList<StoredSearch> Searches);

    /// <summary>Puts the search's name before the stage that it reports.</summary>
    private sealed class Titled(string title, IProgress<WorkProgress>? progress) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
            => progress?.Report(value with { Stage = value.Stage.Length == 0 ? title : $"{title}: {value.Stage}" });
    }

    private sealed record StoredSearch(
        string Key, string Search, long NetworkEvaluations, long LossCurveEvaluations, double Seconds, IReadOnlyList<FoundSchedule> Found,
        string? FoundFor = null, string? LossCurve = null)
    {
        public void Check(string source)
        {
            if (Key.Length != 64 || NetworkEvaluations < 0 || !double.IsFinite(Seconds) || Seconds < 0 || Found.Count == 0
                || Found.Contains(null!))
            {
                throw new InvalidInputException(
                    $"{source} holds a search that is none (key {Key[..Math.Min(8, Key.Length)]}); delete the file to have all searched "
                        + "again.");
            }

            foreach (var found in Found)
                found.ToSchedule(source);
        }
    }

    private sealed record FoundSchedule(
        IReadOnlyList<double> Sigmas, ScheduleTerminal Terminal, string Objective, double Loss, string StopReason, double? LossLow = null,
        double? LossHigh = null)
    {
        [System.Text.Json.Serialization.JsonIgnore]
        public int Steps => Sigmas.Count - 1;

        public static FoundSchedule Of(ScheduleSearchResult result) =>
            new([.. result.Schedule.Sigmas], result.Schedule.Terminal, result.Objective, result.Loss.Value, result.StopReason,
                result.Loss.Low, result.Loss.High);

        public SamplingSchedule ToSchedule(string source)
        {
            try
            {
                return new SamplingSchedule(Sigmas, Terminal);
            }
            catch (InvalidInputException e)
            {
                throw new InvalidInputException($"{source}: {e.Message} Delete the file to have all searched again.", e);
            }
        }
    }
}
