using FewStep.Data;
using FewStep.Fitting;
using FewStep.Metrics;
using FewStep.Reporting;
using FewStep.Tuning;

namespace FewStep.Studio;

/// <summary>A fit, search, tuning or measurement that the page asks for; what it does not say are the defaults of the library.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record JobRequest
{
    private const int MostNumbers = 20;

    public JobKind Kind { get; init; }

    /// <summary>The model, and of a tuning the sampler; a fit with sigmas keeps those.</summary>
    public SamplerRequest Sampler { get; init; } = new();

    /// <summary>Images, of a search; null for the studio's.</summary>
    public string? Data { get; init; }

    /// <summary>Numbers of steps, of a search or fit.</summary>
    public int[] Steps { get; init; } = [];

    /// <summary>Search of a search or fit; null for the library's first.</summary>
    public string? Search { get; init; }

    /// <summary>Whether a fit keeps the sampler's sigmas.</summary>
    public bool KeepsSigmas { get; init; }

    /// <summary>Latents of a fit, or most images of a loss curve; null for the default.</summary>
    public int? Latents { get; init; }

    /// <summary>Updates of a tuning; null for the default.</summary>
    public int? Updates { get; init; }

    /// <summary>What it does, in words.</summary>
    public string Title(Model model) => Kind switch
    {
        JobKind.Fit when KeepsSigmas => $"Fit the solver's weights of {model.Name} on the sigmas of {Sampler.Make(model)}",
        JobKind.Fit => $"Fit samplers of {Numbers()} steps to {model.Name}",
        JobKind.Search => $"Search sigmas of {Numbers()} steps for {model.Name} by {Search ?? new FindOptions().Search}",
        JobKind.Tune => $"Tune {model.Name} to {Sampler.Make(model)}",
        _ => $"Measure the loss curve of {model.Name}",
    };

    /// <summary>Refuses what would fail after minutes.</summary>
    public void Check(Model model)
    {
        if (Kind is JobKind.Search or JobKind.Fit && !KeepsSigmas
            && (Steps.Length is 0 or > MostNumbers || Steps.Any(n => n is < 1 or > ScheduleSearchRequest.MaximumSteps)))
        {
            throw new InvalidInputException(
                $"Say 1 to {MostNumbers} numbers of steps, each 1 to {ScheduleSearchRequest.MaximumSteps}, e.g. 3,4,6.");
        }

        if (Kind == JobKind.Search)
            ScheduleOptimizerCatalog.Find(Search ?? new FindOptions().Search);
        if (Kind == JobKind.Fit)
            Fitting().Checked();
        if (Kind == JobKind.Tune)
        {
            model.RequireNetwork();
            Tuning(Sampler.Make(model)).Validate();
        }
    }

    /// <summary>Does it.</summary>
    /// <param name="studio">Where images are, where none are named.</param>
    /// <param name="curve">The model's loss curve, where it is known.</param>
    /// <param name="measured">Told a loss curve that was measured.</param>
    public IReadOnlyList<JobResult> Run(Model model, StudioOptions studio, LossCurve? curve, Action<LossCurve> measured, string folder,
        IProgress<WorkProgress> progress, CancellationToken cancellation)
    {
        IImageSet? images = null;
        IImageSet Images() => images ??= Opened(string.IsNullOrWhiteSpace(Data) ? null : Data.Trim());
        IImageSet Opened(string? named) => OwnSampleSet.For(model, named ?? studio.Data, named is not null || studio.IsDataChosen)
            ?? ImageSets.Open(named ?? studio.Data, progress: progress, cancellation: cancellation);
        void Keep(LossCurve found)
        {
            LossCurveFile.Write(Path.Combine(folder, LossCurveFile.Name), found);
            measured(found);
        }

        try
        {
            switch (Kind)
            {
                case JobKind.Curve:
                    var options = new LossCurveOptions();
                    if (Latents is int most)
                        options = options with { MaximumImages = most };
                    var found = model.MeasureCurve(Images(), options, progress, cancellation);
                    Keep(found);
                    return [new($"{NumberText.Count(found.Images)} images; {found.Origin.Quality}.")];
                case JobKind.Fit:
                    var schedule = KeepsSigmas ? Kept(model) : ScheduleChoice.Parse(Search ?? new FindOptions().Search);
                    var fits = FitFolder.Write(
                        folder, model, schedule, Steps, Fitting(), new FindOptions { LossCurve = curve }, Images, null, progress,
                        cancellation)!;
                    string measuredFile = Path.Combine(folder, LossCurveFile.Name);
                    if (File.Exists(measuredFile))
                        measured(LossCurveFile.Read(measuredFile));
                    return [.. fits.Select(f => new JobResult(About(f), f.File))];
                case JobKind.Search:
                    var find = new FindOptions { Solver = SolverOf(model), LossCurve = curve };
                    var search = new SamplerSearch(model, Images, Steps, find) { CurveMeasured = Keep };
                    var choice = ScheduleOptimizerCatalog.Find(Search ?? find.Search);
                    return [.. search.Find([choice], progress, cancellation).Select(f => new JobResult(
                        $"{f.Sampler}{(f.Result.Weighting is { } w ? $", {w}" : "")}: {f.Result.StopReason}", f.Save(folder)))];
                default:
                    return Tune(model, folder, progress, cancellation);
            }
        }
        finally
        {
            images?.Dispose();
        }
    }

    private string Numbers() => string.Join(", ", Steps.Select(n => NumberText.Count(n)));

    private FitOptions Fitting() => Latents is int latents ? new FitOptions { Latents = latents } : new FitOptions();

    private TuningOptions Tuning(Sampler sampler) =>
        (Updates is int updates ? new TuningOptions { Updates = updates } : new TuningOptions()).For(sampler.Steps, sampler.Solver);

    // A fitted solver steps over its own sigmas alone, so sigmas are searched for its base.
    private string SolverOf(Model model) => Sampler.Make(model).Solver is var solver && solver is FittedSolver fitted ? fitted.Base.Name
        : solver.Name;

    private ScheduleChoice.Given Kept(Model model)
    {
        var sampler = Sampler.Make(model);
        return new ScheduleChoice.Given(sampler.Origin.Schedule ?? "sigmas", sampler.Schedule, null, sampler.Origin.OfSigmas);
    }

    private static string About(WrittenFit fit)
    {
        static string Root(double square) => NumberText.Significant(Math.Sqrt(Math.Max(0, square)), 3);
        string steps = fit.Sampler.Steps == 1 ? "1 step" : $"{NumberText.Count(fit.Sampler.Steps)} steps";
        return $"{steps}: RMS at the end {Root(fit.Result.HeldOut.Value)}, {Root(fit.Result.Base.Value)} without the fit";
    }

    private IReadOnlyList<JobResult> Tune(Model model, string folder, IProgress<WorkProgress> progress, CancellationToken cancellation)
    {
        var (network, sampler) = (model.RequireNetwork(), Sampler.Make(model));
        var options = Tuning(sampler);
        using var embedding = ImageEmbeddings.Open(options.ImageDistance, network, network.Shape, network.Device);
        var run = new TuningRun(model.Config, network, sampler, options, new TuningRunOptions { Folder = folder, WriteSnapshots = false },
            teacher: model.Teacher, embedding: embedding);
        var report = run.Execute(new TuningObserver { Progress = progress }, cancellation);
        cancellation.ThrowIfCancellationRequested();
        if (report.Stop == TuningStop.Diverged)
            throw new InvalidInputException($"Tuning diverged: {report.Explanation}. The best weights so far are in {run.ModelPath}.");
        string before = NumberText.Significant(report.Curve[0].HeldOut, 3), after = NumberText.Significant(report.BestHeldOut, 3);
        return [new($"{report.HeldOutMetric}: {before} before, {after} at update {report.BestUpdate}; {report.Explanation}.",
            Path.Combine(run.ModelPath, FewStep.Model.SamplerName), run.ModelPath)];
    }
}

/// <summary>Kinds of jobs.</summary>
internal enum JobKind
{
    /// <summary>A solver's weights fitted on sigmas that are searched, or kept.</summary>
    Fit,

    /// <summary>Sigmas searched.</summary>
    Search,

    /// <summary>The model tuned to a sampler.</summary>
    Tune,

    /// <summary>The loss curve measured.</summary>
    Curve,
}
