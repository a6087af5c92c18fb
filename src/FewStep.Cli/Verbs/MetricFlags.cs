using System.CommandLine;
using FewStep.Metrics;
using FewStep.Platform;

namespace FewStep.Cli.Verbs;

/// <summary>Options of <c>fewstep evaluate</c> that choose metrics other than the classifier's Fréchet distance.</summary>
/// <param name="classifier">The verb's <c>--classifier</c>.</param>
internal sealed class MetricFlags(ClassifierFlag classifier)
{
    private static readonly MetricOptions Usual = new();

    public FeatureFlags Network { get; } = new(classifier);

    public Option<string?> Images { get; } = new("--images")
    {
        Description = "Measure these images (zip, folder or idx file), compared with --reference, in place of a model's samples.",
        HelpName = "path",
    };

    private Option<string?> Metrics { get; } = new("--metrics")
    {
        Description = "Metrics, separated by commas: fid (Fréchet distance on Inception-v3), fd (the same on the classifier), kid, prdc (precision, recall, density, coverage) and is (Inception score), which take either's --features. Left out with --images: fid,kid,prdc,is.",
        HelpName = "list",
    };

    private Option<int> Subsets { get; } = new("--kid-subsets") { Description = "Random subsets that a kernel distance is the mean of.", DefaultValueFactory = _ => Usual.KernelSubsets };

    private Option<int> SubsetSize { get; } = new("--kid-subset-size") { Description = "Images of each set in such a subset.", DefaultValueFactory = _ => Usual.KernelSubsetSize };

    private Option<int> Manifold { get; } = new("--neighbours") { Description = "Nearest neighbours of precision and recall.", DefaultValueFactory = _ => Usual.ManifoldNeighbours };

    private Option<int> Coverage { get; } = new("--coverage-neighbours") { Description = "Nearest neighbours of density and coverage.", DefaultValueFactory = _ => Usual.CoverageNeighbours };

    private Option<int> Kept { get; } = new("--kept-images") { Description = "Most images of a set that kid and prdc look at.", DefaultValueFactory = _ => Usual.KeptImages };

    /// <summary>Adds the options to the verb.</summary>
    public void AddTo(Command command)
    {
        foreach (var option in new Option[] { Metrics, Images, Network.Features, Network.Inception, Subsets, SubsetSize, Manifold, Coverage, Kept })
        {
            command.Add(option);
        }
    }

    /// <summary>Whether the command line asks for any of this.</summary>
    public bool IsAsked(ParseResult parsed) => parsed.GetValue(Metrics) is not null || parsed.GetValue(Images) is not null;

    /// <summary>How the metrics are computed.</summary>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    public MetricOptions Options(ParseResult parsed, long seed)
    {
        var options = new MetricOptions
        {
            KernelSubsets = parsed.GetValue(Subsets),
            KernelSubsetSize = parsed.GetValue(SubsetSize),
            ManifoldNeighbours = parsed.GetValue(Manifold),
            CoverageNeighbours = parsed.GetValue(Coverage),
            KeptImages = parsed.GetValue(Kept),
            Seed = seed,
        };
        options.Check();
        return options;
    }

    /// <summary>The metrics by feature network.</summary>
    /// <exception cref="InvalidInputException">One is unknown.</exception>
    public IReadOnlyDictionary<FeatureKind, IReadOnlyCollection<ImageMetric>> Wanted(ParseResult parsed)
    {
        var chosen = parsed.GetValue(Network.Features);
        string[] names = (parsed.GetValue(Metrics) ?? (chosen == FeatureKind.Inception ? "fid,kid,prdc,is" : "fd,kid,prdc,is")).Split(',', StringSplitOptions.TrimEntries);
        return names.Select(name => name switch
        {
            "fid" => (FeatureKind.Inception, ImageMetric.Frechet),
            "fd" => (FeatureKind.Classifier, ImageMetric.Frechet),
            "kid" => (chosen, ImageMetric.Kernel),
            "prdc" => (chosen, ImageMetric.Neighbours),
            "is" => (chosen, ImageMetric.ClassScore),
            _ => throw new InvalidInputException($"--metrics: there is no metric '{name}'; there are fid, fd, kid, prdc and is."),
        }).Distinct().GroupBy(m => m.Item1).OrderBy(g => g.Key).ToDictionary(g => g.Key, g => (IReadOnlyCollection<ImageMetric>)[.. g.Select(m => m.Item2)]);
    }
}
