using FewStep.Denoising;
using FewStep.Metrics;
using FewStep.Noise;
using FewStep.Experiments;
using FewStep.Platform;
using FewStep.Search;
using FewStep.Solvers;
using FewStep.Tests.Metrics;
using static TorchSharp.torch;

namespace FewStep.Tests.Experiments;

/// <summary>Gaussian data of 8x8 pixels, whose ideal denoiser shrinks, with a metric on random features and an optimiser that looks at the solver; all in a folder of its own.</summary>
internal sealed class ComparisonWorld : IDisposable
{
    public const double Deviation = 0.5;
    public const int Images = 12;
    public const double Diverging = 7.7;
    private static readonly ImageShape Shape = new(1, 8, 8);

    public ComparisonWorld()
    {
        using var images = new StripedImages(40, 1);
        Classifier = new FeatureClassifier(new ClassifierConfiguration(Shape, 4, [8], 1, "FD (stripes)"), 3);
        Evaluation = new FrechetEvaluation(Classifier, ReferenceStatistics.Measure(images, Classifier));
        Network = new CountingDenoiser(new Shrinking());
        Model = new ComparisonModel { Denoiser = Network, Identity = "weights" };
    }

    public string Folder { get; } = Directory.CreateTempSubdirectory("fewstep-compare-").FullName;

    public FeatureClassifier Classifier { get; }

    public FrechetEvaluation Evaluation { get; }

    public CountingDenoiser Network { get; }

    public ComparisonModel Model { get; init; }

    /// <summary>Number of calls of the searching optimiser.</summary>
    public int Searches { get; private set; }

    public ComparisonOptions Options(params IReadOnlyList<ComparisonSchedule> schedules) => new()
    {
        Folder = Folder,
        Solvers = [new EulerSolver(), new HeunSolver()],
        Schedules = schedules,
        Numbers = [2, 4],
        Ranges = SeedRange.Consecutive(100, Images, 3),
        Teacher = ComparisonTeacher.Create(Network, 6),
        BatchSize = 5,
    };

    public static ComparisonSchedule Karras(string name = "karras", double rho = 7) => new ComparisonSchedule.Standard(name, StandardSchedule.Karras(rho));

    /// <summary>An optimiser that takes another rho for each solver and spends one evaluation a step.</summary>
    public ComparisonSchedule Tailored(string name = "tailored") => new ComparisonSchedule.Searched(name, new ScheduleOptimizerChoice(
        new ScheduleOptimizerEntry
        {
            Name = name,
            Description = "A test's own.",
            Source = "none",
            IsForSolver = true,
            Create = (context, _) => new Tailor(this, context),
        },
        null));

    public void Dispose()
    {
        Classifier.Dispose();
        Evaluation.Reference.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private sealed class Tailor(ComparisonWorld world, ScheduleSearchContext context) : IScheduleOptimizer
    {
        public string Name => "tailor";

        public IReadOnlyList<ScheduleSearchResult> Search(ScheduleSearchRequest request, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
        {
            world.Searches++;
            using var scope = NewDisposeScope();
            var results = new List<ScheduleSearchResult>();
            foreach (int steps in request.Steps)
            {
                cancellation.ThrowIfCancellationRequested();
                context.Denoiser.Denoise(zeros(Shape.Batch(1)), ones(1), null);
                results.Add(new ScheduleSearchResult
                {
                    Schedule = StandardSchedule.Karras(context.Solver.Order + 2).Create(steps, request.SigmaMin, request.SigmaMax),
                    Objective = "none",
                    Search = "by order",
                    Loss = new LossEstimate(1),
                    NetworkEvaluations = 1,
                    StopReason = "done",
                    Seconds = 0,
                });
                progress?.Report(new WorkProgress("tailoring", results.Count, request.Steps.Count, "schedules"));
            }

            return results;
        }
    }

    /// <summary>The ideal denoiser of Gaussian data around 0, but for one noise level at which it diverges.</summary>
    private sealed class Shrinking : IDenoiser
    {
        ImageShape IDenoiser.Shape => Shape;

        public int Classes => 4;

        public double SigmaMin => 0.002;

        public double SigmaMax => 80;

        public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels) =>
            Math.Abs(sigma[0].to_type(ScalarType.Float64).item<double>() - Diverging) < 1e-3 ? x * double.NaN : x * (Deviation * Deviation / (sigma * sigma + Deviation * Deviation)).view(-1, 1, 1, 1);
    }
}

/// <summary>Calls back with what is reported, at once.</summary>
internal sealed class Told(Action<WorkProgress> tell) : IProgress<WorkProgress>
{
    public void Report(WorkProgress value) => tell(value);
}
