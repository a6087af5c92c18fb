using FewStep.Data;
using FewStep.Metrics;
using FewStep.Search;
using FewStep.Shards;

namespace FewStep.Experiments;

/// <summary>An experiment of schedules that are made, searched or given, crossed with solvers, numbers and models.</summary>
internal sealed record PlannedExperiment
{
    public required TrialPlanOptions Plan { get; init; }

    /// <summary>How it is sampled; its folder also keeps the searches and the loss curve.</summary>
    public required ExperimentOptions Options { get; init; }

    /// <summary>Names of the metrics, the headline's first.</summary>
    public required IReadOnlyList<string> Metrics { get; init; }

    /// <summary>What the metrics may use; folder and teacher are set here.</summary>
    public required MetricContext Context { get; init; }

    /// <summary>Images that the model was trained on, for loss curve, searches and floors; null (default) where there are none.</summary>
    public IImageSet? Training { get; init; }

    /// <summary>A loss curve that was measured before; null (default) to measure one where it is needed.</summary>
    public LossCurve? Curve { get; init; }

    /// <summary>How the loss curve is measured; its steps are the plan's.</summary>
    public LossCurveOptions CurveOptions { get; init; } = new();

    /// <summary>Latents of a search with trajectories; null (default) for each search's own number.</summary>
    public int? SearchImages { get; init; }

    /// <summary>Whether one trial is the result, which the headline is about; default false: the best one at each number is.</summary>
    public bool HasResult { get; init; }

    private Model First => Plan.Models[0].Model;

    /// <summary>Measures what is planned, or does the stage of it that the options name.</summary>
    /// <returns>The summary; null after a stage that is not the last.</returns>
    public Summary? Run(IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        Options.Check();
        string folder = Options.Folder!;
        var (stage, shard) = (Options.Division?.Stage, Options.Division?.Stage.Shard);
        bool isShare = shard is not null;
        LossCurve? curve = Curve;
        bool searched = Plan.Schedules.Any(s => s is ScheduleChoice.Searched);
        var finding = searched ? progress.Phase("schedules", 1, 2) : progress;
        IReadOnlyList<int> steps = [];
        LossCurve Measured() => curve ??= KeptLossCurve.Get(
            folder, First, Training!, CurveOptions with
            { Seed = Options.Seed, Steps = [.. steps.Where(n => n <= ScheduleSearchRequest.MaximumSteps)] }, finding, isShare,
            cancellation);
        var sources = new SearchSources
        {
            Model = First,
            Folder = folder,
            LossCurve = curve is null && Training is null ? null : Measured,
            TrainingImages = Training is null ? null : () => First.Trained(Training),
            TrainingHash = Training?.Hash,
            Images = SearchImages,
            BatchSize = Options.BatchSize,
            IsReadOnly = isShare,
        };
        steps = TrialPlan.Check(Plan, sources);
        CheckFits();
        using var endpoints = Plan.Teacher is null || !MetricCatalog.NeedTeacher(Metrics)
            ? null
            : new TeacherEndpoints(
                DividedTrials.TeacherFolder(shard is null ? folder : Part.Place(folder, shard)),
                new Trial(First, Plan.Teacher) { Role = TrialRole.Teacher }, Options.BatchSize);
        (Context.Folder, Context.Teacher, Context.Texts) = (folder, endpoints?.ForMetrics, First.LabelNames);
        Context.KeepsReference = !isShare;
        Context.Prepare([.. Metrics.Select(MetricCatalog.Find)]);
        var partial = PartialJudges(); // refuses before the searches, which take minutes
        var searches = SearchStore.Open(sources, Plan.UsualSolver);
        var plan = TrialPlan.Create(Plan, searches, finding, cancellation);
        int shown = plan.Shown(Options.ShownNumber);
        var trials = HasResult ? plan.WithRoles(shown) : plan.Trials;
        var metrics = MetricCatalog.Open(Metrics, Context);
        if (stage == ShardStage.Prepare)
        {
            return plan.LeftOut.FirstOrDefault(l => l.Schedule is not null) is not { } failed ? null : throw new InvalidInputException(
                $"The search {failed.Schedule} fails, which shards cannot leave out each by itself; take it out. {failed.Reason}");
        }

        var summary = new Experiment(
            Options with
            {
                Axis = Plan.Axis,
                ShownNumber = shown,
                FloorImages = Training is OwnSampleSet ? null : Training, // no real ones
                Curve = curve,
                Endpoints = endpoints,
            })
            .RunStage(trials, metrics, searched ? progress.Phase("comparison", 2, 2) : progress, cancellation);
        return summary is null ? null : summary with
        {
            Data = Data(),
            LossCurve = curve is null ? null : LossCurveSummary.Of(curve),
            LeftOut = [.. plan.LeftOut, .. summary.LeftOut],
            Searches = searches.Used,
            Ledger =
            [
                .. curve is null ? []
                    : new[] { new LedgerLineSummary("loss curve", curve.Origin.NetworkEvaluations, 0, curve.Origin.Seconds) },
                .. searches.Used.GroupBy(s => s.Name)
                    .Select(g => new LedgerLineSummary($"search: {g.Key}", g.Sum(s => s.NetworkEvaluations), 0, g.Sum(s => s.Seconds))),
                .. summary.Ledger,
            ],
            Warnings = [.. Context.Remarks, .. GuidanceRemarks(), .. partial, .. summary.Warnings, .. curve?.Remarks() ?? []],
        };
    }

    private DataSummary? Data()
    {
        var reference = Context.RealImages?.Invoke();
        return (reference ?? Training) is null
            ? null
            : new DataSummary(Options.DataName ?? First.Name, Training?.Hash, reference?.Hash, Training?.Count ?? 0, reference?.Count ?? 0);
    }

    private void CheckFits()
    {
        foreach (var (what, images) in new[] { ("reference", Context.RealImages?.Invoke()), ("training", Training) })
        {
            if (images is not null && images.Shape != First.Shape)
            {
                throw new InvalidInputException(
                    $"The model makes images of {First.Shape}, but the {what} images are {images.Shape}; choose data of that shape.");
            }
        }
    }

    // Of samplers that were matched by the very features that they are measured on; what is searched never was.
    private List<string> PartialJudges()
    {
        List<string> remarks = [];
        var made = Plan.Samplers.Select(s => s.MakeFor(First, Plan.UsualSolver)).Append(Plan.Teacher).OfType<Sampler>().ToList();
        foreach (var judges in Metrics.Select(MetricCatalog.Find).GroupBy(Context.NetworkOf).Where(g => g.Key is not null))
        {
            string hash = judges.Key!.Hash;
            var matched = made.Where(s => s.Origin.Match?.Judges.Contains(hash, StringComparison.Ordinal) == true).Distinct().ToList();
            if (matched.Count == 0)
                continue;
            string words = $"{string.Join(", ", matched)}: matched by the features of {judges.Key.Name}, which so is no impartial judge";
            if (judges.Any(j => j.Kind == FeatureKind.HeldBack))
                throw new InvalidInputException($"{words}; hold back another classifier.");
            remarks.Add($"{words}.");
        }

        return remarks;
    }

    private IEnumerable<string> GuidanceRemarks() => First.Summary.Guidance is null || Plan.Axis == ComparisonAxis.Steps
        ? []
        :
        [
            "The model is guided: the numbers of evaluations that are compared at count its calls, each of which takes up to two network "
                + "evaluations; the evaluations an image in the tables are counted.",
        ];
}
