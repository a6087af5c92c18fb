using FewStep.Denoising;
using FewStep.Experiments;
using FewStep.Metrics;
using FewStep.Models;
using FewStep.Noise;
using FewStep.Search;
using FewStep.Solvers;
using FewStep.Tests.Metrics;

namespace FewStep.Tests.Experiments;

/// <summary>Gaussian data of 8x8 pixels, whose ideal denoiser shrinks, with a metric on random features and a search that looks at the
/// solver; all in a folder of its own.</summary>
internal sealed class ExperimentWorld : IDisposable
{
    public const double Deviation = 0.5;
    public const int Images = 12;
    public const double Diverging = 7.7;
    public static readonly ImageShape Shape = new(1, 8, 8);
    private readonly StripedImages _reference = new(40, 1);
    private readonly List<MetricContext> _contexts = [];

    public ExperimentWorld()
    {
        Network = new CountingDenoiser(new Shrinking(Shape));
        Model = ModelOf(Network);
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("fewstep-experiment-").FullName;

    public CountingDenoiser Network { get; }

    public Model Model { get; }

    /// <summary>Number of calls of the searching optimiser.</summary>
    public int Searches { get; private set; }

    public ExperimentOptions Options => new()
    {
        Title = "a test",
        Folder = Folder,
        Samples = Images,
        Ranges = 3,
        FirstSeed = 100,
        BatchSize = 5,
        ShownSeeds = [],
    };

    public static Model ModelOf(IDenoiser denoiser, string hash = "weights") =>
        new(denoiser, new ModelSummary
        { Name = "shrinking", Hash = hash, Preconditioning = "none", Shape = denoiser.Shape, Classes = denoiser.Classes }, null);

    public static IDenoiser Denoiser(ImageShape shape) => new Shrinking(shape);

    public MetricContext Context()
    {
        var context = new MetricContext
        {
            OpenNetwork = _ => new FeatureClassifier(new ClassifierConfiguration(Shape, 4, [8], 1, "FD (stripes)"), 3),
            RealImages = () => _reference,
        };
        _contexts.Add(context);
        return context;
    }

    public IReadOnlyList<IMetric> Frechet() => MetricCatalog.Open(["fd"], Context());

    public Trial Trial(int steps, string solver = "euler", bool zero = false, string name = "karras") => new(
        Model,
        new Sampler(StandardSchedule.Karras().Create(steps, 0.002, 80, zero ? ScheduleTerminal.Zero : ScheduleTerminal.SigmaMin),
            SolverCatalog.Find(solver))
        {
            Origin = new SamplerOrigin { Schedule = name, Source = ScheduleSource.Standard },
        });

    public PlannedExperiment Planned(params IReadOnlyList<ScheduleChoice> schedules) => new()
    {
        Plan = new TrialPlanOptions
        {
            Models = [(null, Model)],
            Schedules = schedules,
            Solvers = [new EulerSolver(), new HeunSolver()],
            Axis = ComparisonAxis.Evaluations,
            Numbers = [2, 4],
            Teacher = new Sampler(StandardSchedule.Karras().Create(6, 0.002, 80), new HeunSolver())
            { Origin = new SamplerOrigin { Schedule = "karras" } },
        },
        Options = Options,
        Metrics = ["fd", "endpoint"],
        Context = Context(),
    };

    public static ScheduleChoice Karras(string name = "karras", double rho = 7)
        => new ScheduleChoice.Standard(name, StandardSchedule.Karras(rho));

    public static ScheduleChoice Searched(string name, Func<ScheduleSearchContext, IScheduleOptimizer> create, bool isForSolver = false)
        => new ScheduleChoice.Searched(name, new ScheduleOptimizerChoice(
        new ScheduleOptimizerEntry
        {
            Name = name,
            Description = "A test's own.",
            Source = "none",
            IsForSolver = isForSolver,
            Create = (context, _) => create(context)
        }, null));

    /// <summary>What a test's own search says of a schedule.</summary>
    public static ScheduleSearchResult Found(SamplingSchedule schedule, long evaluations) => new()
    {
        Schedule = schedule,
        Objective = "none",
        Search = "by order",
        Loss = new LossEstimate(1),
        NetworkEvaluations = evaluations,
        StopReason = "done",
        Seconds = 0,
    };

    /// <summary>A search that takes another rho for each solver and spends one evaluation a step.</summary>
    public ScheduleChoice Tailored(string name = "tailored") => Searched(name, context => new Tailor(this, context), isForSolver: true);

    public void Dispose()
    {
        _contexts.ForEach(c => c.Dispose());
        _reference.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private sealed class Tailor(ExperimentWorld world, ScheduleSearchContext context) : IScheduleOptimizer
    {
        public string Name => "tailor";

        public IReadOnlyList<ScheduleSearchResult> Search(
            ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
        {
            world.Searches++;
            using var scope = NewDisposeScope();
            var results = new List<ScheduleSearchResult>();
            foreach (int steps in request.Steps)
            {
                cancellation.ThrowIfCancellationRequested();
                context.Denoiser.Denoise(zeros(Shape.Batch(1)), ones(1), null);
                var schedule = StandardSchedule.Karras(context.Solver.Order + 2).Create(steps, request.SigmaMin, request.SigmaMax);
                results.Add(Found(schedule, evaluations: 1));
                progress?.Report(new WorkProgress("tailoring", results.Count, request.Steps.Count, "schedules"));
            }

            return results;
        }
    }

    /// <summary>The ideal denoiser of Gaussian data around 0, but for one noise level at which it diverges.</summary>
    private sealed class Shrinking(ImageShape shape) : IDenoiser
    {
        ImageShape IDenoiser.Shape => shape;

        public int Classes => 4;

        public double SigmaMin => 0.002;

        public double SigmaMax => 80;

        public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
            => Math.Abs(sigma[0].to_type(ScalarType.Float64).item<double>() - Diverging) < 1e-3
            ? x * double.NaN
            : x * (Deviation * Deviation / (sigma * sigma + Deviation * Deviation)).view(-1, 1, 1, 1);
    }
}

/// <summary>Calls back with what is reported, at once.</summary>
internal sealed class Told(Action<WorkProgress> tell) : IProgress<WorkProgress>
{
    public void Report(WorkProgress value) => tell(value);
}
