using FewStep.Data;
using FewStep.Metrics;
using FewStep.Sampling;

namespace FewStep;

/// <summary>Judges samplers by the images they make. Owns the networks that it needs; dispose it.</summary>
/// <remarks>What it compares with is measured once, when first needed. Any number of threads may measure at the same time.</remarks>
public sealed class Metric : IMetric, IDisposable
{
    private const int Batch = 100;
    private readonly MetricContext _context;
    private readonly Lock _opening = new();
    private readonly string _name;
    private readonly IDisposable? _owned;
    private IMetric? _opened;

    private Metric(string name, MetricContext context, IDisposable? owned = null) => (_name, _context, _owned) = (name, context, owned);

    /// <summary>The names that <see cref="Open"/> knows.</summary>
    public static IReadOnlyList<string> Names { get; } =
        [.. MetricCatalog.Entries.Where(e => (e.Needs & (MetricNeeds.Teacher | MetricNeeds.Captions)) == 0).Select(e => e.Name)];

    /// <inheritdoc/>
    public IReadOnlyList<MetricFigure> Figures => Opened().Figures;

    /// <inheritdoc/>
    public string Identity => Opened().Identity;

    /// <inheritdoc/>
    public bool ComparesWithRealImages => Opened().ComparesWithRealImages;

    /// <summary>The Fréchet distance on the features of a classifier. Distances compare only at equal numbers of images, and on equal
    /// features.</summary>
    /// <param name="reference">Real images to compare with, best not those that the model was trained on. Not owned.</param>
    /// <param name="classifierFolder">Folder of the classifier.</param>
    /// <exception cref="InvalidInputException">The classifier is missing, damaged, or takes other images.</exception>
    public static Metric Frechet(IImageSet reference, string classifierFolder)
        => Open(FrechetMetric.OnClassifier.Name, reference, classifierFolder);

    /// <summary>Opens a metric by name.</summary>
    /// <param name="name">One of <see cref="Names"/>: <c>fd</c>, <c>fid</c>, <c>kid</c>, <c>prdc</c>, <c>is</c> or <c>grain</c>.</param>
    /// <param name="reference">Real images to compare with. Not owned. The metric <c>grain</c> needs none, nor
    /// does <c>is</c>, but on Inception-v3 it learns the images' shape from them.</param>
    /// <param name="classifierFolder">Folder of the classifier whose features it is measured on; null for Inception-v3.</param>
    /// <param name="inceptionFile">Inception-v3's weights, which <c>fid</c> needs, and the others where there is no classifier.</param>
    /// <param name="options">How it is computed; null for the papers' defaults.</param>
    /// <param name="device">Where networks compute; null for the first GPU, else the processor.</param>
    /// <exception cref="InvalidInputException">The name is unknown, something that it needs is missing or damaged, or shapes do not
    /// fit.</exception>
    public static Metric Open(string name, IImageSet? reference = null, string? classifierFolder = null, string? inceptionFile = null,
        MetricOptions? options = null, DeviceChoice? device = null)
    {
        var entry = MetricCatalog.Find(name);
        var context = new MetricContext
        {
            OpenNetwork = kind => OpenNetwork(kind, reference, classifierFolder, inceptionFile, (device ?? DeviceChoice.Auto).Resolve()),
            Features = classifierFolder is null ? FeatureKind.Inception : FeatureKind.Classifier,
            RealImages = reference is null ? null : () => reference,
            Options = options ?? new MetricOptions(),
        };
        try
        {
            context.Prepare([entry]);
            return new Metric(name, context);
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>How far samples end from what a fine sampler makes of the same latents: the error of few steps alone, which needs no real
    /// images.</summary>
    /// <param name="model">The model that the fine sampler samples, usually the one before tuning. Not owned.</param>
    /// <param name="teacher">The fine sampler, e.g. Heun's method with 32 steps.</param>
    public static Metric Endpoint(Model model, Sampler teacher)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(teacher);
        var images = new SampledTeacher(model, teacher);
        string identity = $"{model.Identity}\n{teacher.Schedule.ExactSigmas}\n{teacher.Schedule.Terminal}\n{teacher.Solver.Name}";
        return new Metric(EndpointMetric.Entry.Name, new MetricContext { Teacher = new(teacher.ToString(), identity, images.Of) }, images);
    }

    /// <summary>Samples images and measures them, over disjoint ranges of seeds from 0 on, whose spread tells how far the figures can be
    /// trusted.</summary>
    /// <param name="model">The model; not owned.</param>
    /// <param name="sampler">The sampler.</param>
    /// <param name="seeds">Images in each range, 2 or more; default 1,000.</param>
    /// <param name="ranges">Number of ranges, 1 or more; default 3.</param>
    /// <param name="progress">Told the images sampled; null for nobody.</param>
    /// <param name="cancellation">Stops between two steps.</param>
    /// <exception cref="InvalidInputException">A value is out of range, the sigmas leave the model's noise levels, a sample is not finite,
    /// or the metric needs other or more images.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public MetricResult Measure(
        Model model, Sampler sampler, int seeds = 1000, int ranges = 3, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(sampler);
        if (seeds < 2 || ranges < 1 || (long)seeds * ranges > SeedPlan.LastEvaluated + 1)
        {
            throw new InvalidInputException(
                $"{ranges} ranges of {seeds} images cannot be measured: there must be 1 or more of 2 or more, of "
                    + $"{SeedPlan.LastEvaluated + 1} seeds.");
        }

        var batches = model.Batches(sampler, new SampleOptions { BatchSize = Batch });
        var metric = Opened(progress, cancellation);
        var values = new List<IReadOnlyList<MetricValue>>();
        long done = 0, evaluations = 0;
        foreach (var range in SeedRange.Consecutive(0, seeds, ranges))
        {
            using var measurement = metric.Begin(seeds, range);
            foreach (long[] some in range.Batches(Batch))
            {
                using var batch = batches.Sample(some, cancellationToken: cancellation).Single();
                using var images = new MeasuredImages(batch.Images, model.Autoencoder);
                measurement.Add(images);
                (done, evaluations) = (done + some.Length, evaluations + batch.Evaluations);
                progress?.Report(new WorkProgress("samples", done, (long)seeds * ranges, "img"));
            }

            values.Add(measurement.Finish(cancellation));
        }

        var spreads = metric.Figures.Select((_, i) => SeedRangeSpread.Of([.. values.Select(v => v[i].Value)]));
        return new(metric.Figures, [.. spreads], seeds, (double)evaluations / done);
    }

    /// <summary>Measures on another thread; see <see cref="Measure"/>.</summary>
    /// <inheritdoc cref="Measure"/>
    public Task<MetricResult> MeasureAsync(
        Model model, Sampler sampler, int seeds = 1000, int ranges = 3, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default) =>
        Task.Run(() => Measure(model, sampler, seeds, ranges, progress, cancellation), cancellation);

    /// <inheritdoc/>
    public IMetricMeasurement Begin(int images, SeedRange? seeds) => Opened().Begin(images, seeds);

    /// <inheritdoc/>
    public void Dispose()
    {
        _context.Dispose();
        _owned?.Dispose();
    }

    private IMetric Opened(IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        lock (_opening)
        {
            (_context.Progress, _context.Cancellation) = (progress, cancellation);
            return _opened ??= MetricCatalog.Open([_name], _context)[0];
        }
    }

    private static IClassScorer OpenNetwork(
        FeatureKind kind, IImageSet? reference, string? classifierFolder, string? inceptionFile, Device device)
    {
        if (kind == FeatureKind.Inception)
        {
            string file = inceptionFile ?? throw new InvalidInputException(
                "The metric needs a feature network: the folder of a classifier, or the file of Inception-v3's weights.");
            return InceptionFeatures.Load(file, reference?.Shape
                ?? throw new InvalidInputException("Inception-v3 must know the images' shape; give real images."), device);
        }

        string folder = classifierFolder ?? throw new InvalidInputException("The metric needs the folder of a classifier.");
        return reference is null ? FeatureClassifierFolder.Load(folder, device)
            : FeatureClassifierFolder.LoadFor(folder, reference.Shape, device, "choose other real images");
    }

    /// <summary>Samples a teacher's images of each range once, for all samplers that are compared with them.</summary>
    private sealed class SampledTeacher(Model model, Sampler sampler) : IDisposable
    {
        private readonly Lock _sampling = new();
        private readonly List<(SeedRange Range, Tensor Images)> _held = [];

        public Tensor Of(SeedRange range)
        {
            lock (_sampling)
            {
                if (_held.FirstOrDefault(h => h.Range == range).Images is { } known)
                    return known;
                using var samples = model.Sample(SeedList.Of(range.Count, range.First), sampler, new SampleOptions { BatchSize = Batch });
                var images = samples.Images.alias().DetachFromDisposeScope();
                _held.Add((range, images));
                return images;
            }
        }

        public void Dispose() => _held.ForEach(h => h.Images.Dispose());
    }
}
