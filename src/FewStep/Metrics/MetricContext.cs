using FewStep.Data;

namespace FewStep.Metrics;

/// <summary>What metrics may use: feature networks and real images, opened and measured when first asked for, and shared. Owns the networks
/// and the features of the real images; dispose it after the metrics.</summary>
internal sealed class MetricContext : IDisposable
{
    private readonly Dictionary<FeatureKind, IClassScorer> _networks = [];
    private readonly Dictionary<FeatureKind, FeatureReference> _references = [];
    private bool _keepsFeatures;
    private ClipModel? _clip;

    /// <summary>Opens a feature network for the images that will be measured; null where there is none.</summary>
    public Func<FeatureKind, IClassScorer>? OpenNetwork { get; init; }

    /// <summary>The network of the metrics that take any.</summary>
    public FeatureKind Features { get; init; } = FeatureKind.Classifier;

    /// <summary>Real images to compare with, which stay the caller's; null where there are none.</summary>
    public Func<IImageSet>? RealImages { get; init; }

    /// <summary>A file of statistics (<see cref="StatisticsFile"/>) in place of real images.</summary>
    public string? Statistics { get; init; }

    /// <summary>Where features of the real images are kept (see <see cref="FeatureReference.FileName"/>); null for nowhere.</summary>
    public string? Folder { get; set; }

    /// <summary>Whether what is measured of the real images is kept there; default true. False reads it only.</summary>
    public bool KeepsReference { get; set; } = true;

    public FineTeacher? Teacher { get; set; }

    /// <summary>Opens a CLIP; null where there is none.</summary>
    public Func<ClipModel>? OpenClip { get; init; }

    /// <summary>What the labels of the images mean in words, in their order; null where nothing says it.</summary>
    public IReadOnlyList<string>? Texts { get; set; }

    /// <summary>The CLIP, opened when first asked for.</summary>
    public ClipModel Clip => _clip ??= OpenClip?.Invoke() ?? throw new InvalidInputException("There is no CLIP; name its folder.");

    public MetricOptions Options { get; init; } = new();
    public IProgress<WorkProgress>? Progress { get; set; }
    public CancellationToken Cancellation { get; set; }

    /// <summary>What to know before believing the figures.</summary>
    public IEnumerable<string> Remarks => _networks.Values.OfType<InceptionFeatures>().Select(n => n.Remark).OfType<string>();

    /// <summary>Checks that there is all that some metrics need, and opens their networks.</summary>
    public void Prepare(IReadOnlyCollection<MetricEntry> metrics)
    {
        Options.Check();
        bool Need(MetricNeeds what) => metrics.Any(m => m.Needs.HasFlag(what));
        if (Need(MetricNeeds.ReferenceImages) && Statistics is not null)
        {
            string single = string.Join(
                " and ", MetricCatalog.Entries.Where(e => e.Kind is null && e.Needs.HasFlag(MetricNeeds.ReferenceImages))
                    .Select(e => e.Name));
            throw new InvalidInputException(
                $"{Statistics} holds statistics, which suffice for a Fréchet distance; {single} need the reference images themselves.");
        }

        if (Need(MetricNeeds.Reference) && Statistics is null && RealImages is null)
        {
            throw new InvalidInputException(
                "There is nothing to compare the images with: give real images, or a file of their statistics (.npz).");
        }

        if (Need(MetricNeeds.Teacher) && Teacher is null)
            throw new InvalidInputException("There is no fine teacher whose images the samples could be compared with; name one.");
        if (Need(MetricNeeds.Captions))
        {
            if (Texts is not { Count: > 0 })
            {
                throw new InvalidInputException(
                    "There are no prompts (or names of classes) that images could fit; leave the CLIP score out.");
            }

            _ = Clip;
        }

        _keepsFeatures |= Need(MetricNeeds.ReferenceImages);
        foreach (var metric in metrics.Where(m => m.Needs.HasFlag(MetricNeeds.Features)))
            Network(metric.Kind ?? Features);
        if (_networks.TryGetValue(FeatureKind.HeldBack, out var second)
            && _networks.Any(n => n.Key != FeatureKind.HeldBack && n.Value.Hash == second.Hash))
        {
            throw new InvalidInputException(
                $"The held-back classifier ({second.Name}) is the one that the other metrics are measured on; it must be another, trained "
                    + "with another seed.");
        }
    }

    /// <summary>The network that a metric is measured on; null for one that needs none.</summary>
    public IClassScorer? NetworkOf(MetricEntry metric)
        => metric.Needs.HasFlag(MetricNeeds.Features) ? Network(metric.Kind ?? Features) : null;

    public IClassScorer Network(FeatureKind kind) => _networks.TryGetValue(kind, out var known)
        ? known
        : _networks[kind] = OpenNetwork?.Invoke(kind)
            ?? throw new InvalidInputException("There is no feature network to measure images with; name its weights.");

    public FeatureReference Reference(FeatureKind kind)
        => _references.TryGetValue(kind, out var known) ? known : _references[kind] = Measure(kind);

    public void Dispose()
    {
        foreach (IDisposable owned in _references.Values.Concat<IDisposable>(_networks.Values))
            owned.Dispose();
        _clip?.Dispose();
    }

    private FeatureReference Measure(FeatureKind kind)
    {
        var network = Network(kind);
        if (Statistics is not null)
            return StatisticsFile.Read(Statistics, network);
        var choice = _keepsFeatures ? new KeptChoice(Options.KeptImages, Options.Seed) : null;
        var images = RealImages!();
        return Folder is null
            ? FeatureReference.Measure(images, network, choice, progress: Progress, cancellation: Cancellation)
            : FeatureReference.LoadOrMeasure(
                Path.Combine(Folder, FeatureReference.FileName(kind)), images, network, choice, KeepsReference, Progress, Cancellation);
    }
}

/// <summary>What a fine teacher makes of the seeds that are measured.</summary>
/// <param name="Images">Its images [B,C,H,W] of a range in the seeds' order; not owned, valid until the next range is asked for.</param>
internal sealed record FineTeacher(string Name, string Identity, Func<SeedRange, Tensor> Images);
