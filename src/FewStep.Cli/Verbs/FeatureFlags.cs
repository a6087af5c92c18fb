namespace FewStep.Cli.Verbs;

/// <summary>Options that choose a feature network.</summary>
internal sealed class FeatureFlags(ClassifierFlag classifier, FeatureKind usual = FeatureKind.Inception)
{
    /// <summary>The network for the metrics that take either.</summary>
    public Option<FeatureKind> Features { get; } = Flag.Named(
        "--features", "Features that metrics are measured on.", usual, ("inception", FeatureKind.Inception), ("classifier",
            FeatureKind.Classifier));

    public Option<string?> Inception { get; } = Flag.Optional<string?>(
        "--inception", $"Inception-v3's weights, {string.Join(" or ", InceptionFile.Known.Select(f => f.Name))}; left out, "
            + $"{InceptionPlace.Variable} or a folder models.", "file");

    /// <summary>Opens a network for images of a shape.</summary>
    /// <returns>The network; the caller owns it.</returns>
    public IClassScorer Open(FeatureKind kind, ParseResult parsed, ImageShape shape, string? model)
    {
        if (kind == FeatureKind.Inception)
            return InceptionFeatures.Load(InceptionPlace.Find(parsed.GetValue(Inception)), shape, DeviceFlag.Resolve(parsed));

        var network = FeatureClassifierFolder.Load(classifier.Read(parsed, model), DeviceFlag.Resolve(parsed));
        if (network.Shape == shape)
            return network;

        string takes = network.Shape.ToString();
        network.Dispose();
        throw new InvalidInputException(
            $"The images are {shape}, but the classifier takes {takes}; choose a --classifier of that shape, or --features inception.");
    }
}
