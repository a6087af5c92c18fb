namespace FewStep.Metrics;

/// <summary>The metrics by name.</summary>
internal static class MetricCatalog
{
    public static IReadOnlyList<MetricEntry> Entries { get; } =
    [
        FrechetMetric.OnClassifier, FrechetMetric.OnInception, KernelMetric.Entry, NeighbourMetric.Entry, ClassScoreMetric.Entry,
        EndpointMetric.Entry, GrainMetric.Entry, ClipScoreMetric.Entry, FrechetMetric.OnHeldBack, KernelMetric.OnHeldBack,
        NeighbourMetric.OnHeldBack,
    ];

    public static IEnumerable<string> Names => Entries.Select(e => e.Name);

    public static MetricEntry Find(string name) => Entries.FirstOrDefault(e => e.Name == name)
        ?? throw new InvalidInputException(
            $"There is no metric '{Printable.Line(name, 40)}'; there are {string.Join(", ", Names.SkipLast(1))} and {Names.Last()}."
                + Suggestion.For(name, Names));

    /// <summary>Whether any of some metrics compares with real images.</summary>
    public static bool Compare(IEnumerable<string> names) => Need(names, MetricNeeds.Reference);

    /// <summary>Whether any of some metrics compares with a fine teacher's images.</summary>
    public static bool NeedTeacher(IEnumerable<string> names) => Need(names, MetricNeeds.Teacher);

    /// <summary>What stored images are measured by where nothing else is said: all that a feature network can tell.</summary>
    public static IEnumerable<string> OfStoredImages(FeatureKind features) =>
        Entries.Where(e => e.Needs.HasFlag(MetricNeeds.Features) && (e.Kind ?? features) == features).Select(e => e.Name);

    /// <summary>Opens metrics; first all networks, so that a missing weight file shows before real images are read.</summary>
    /// <param name="context">What they may use; it owns what they share and must outlive them.</param>
    public static IReadOnlyList<IMetric> Open(IEnumerable<string> names, MetricContext context)
    {
        MetricEntry[] chosen = [.. names.Select(Find).Distinct()];
        context.Prepare(chosen);
        return [.. chosen.Select(e => e.Create(context))];
    }

    private static bool Need(IEnumerable<string> names, MetricNeeds what) => names.Any(n => Find(n).Needs.HasFlag(what));
}

/// <summary>What the catalogue says of a metric.</summary>
/// <param name="Description">What it is, in a few words.</param>
/// <param name="Kind">The feature network that it is tied to; null for one that takes any, or none.</param>
internal sealed record MetricEntry(
    string Name, string Description, MetricNeeds Needs, Func<MetricContext, IMetric> Create, FeatureKind? Kind = null)
{
    /// <summary>A metric that compares the features of single images with those of real ones.</summary>
    /// <param name="key">Its name on the network of the metrics that take any.</param>
    /// <param name="kind">The feature network that it is tied to; null for one that takes any.</param>
    /// <param name="create">Makes it of the kind, its network, its reference and the options.</param>
    public static MetricEntry OfImages(string key, FeatureKind? kind, string description,
        Func<FeatureKind, IClassScorer, FeatureReference, MetricOptions, IMetric> create) => new(
            kind?.Key(key) ?? key, description, MetricNeeds.Features | MetricNeeds.Reference | MetricNeeds.ReferenceImages,
            context =>
            {
                var features = kind ?? context.Features;
                return create(features, context.Network(features), context.Reference(features), context.Options);
            },
            kind);
}

/// <summary>What a metric needs.</summary>
[Flags]
internal enum MetricNeeds
{
    None = 0,

    /// <summary>A feature network.</summary>
    Features = 1,

    /// <summary>Real images, or a file of their statistics.</summary>
    Reference = 2,

    /// <summary>The real images themselves.</summary>
    ReferenceImages = 4,

    /// <summary>What a fine teacher makes of the same seeds.</summary>
    Teacher = 8,

    /// <summary>The texts that images were made of.</summary>
    Captions = 16,
}
