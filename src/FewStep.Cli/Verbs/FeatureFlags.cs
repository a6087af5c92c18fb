namespace FewStep.Cli.Verbs;

/// <summary>Options that choose a feature network.</summary>
internal sealed class FeatureFlags(Command command, string classifier, FeatureKind usual = FeatureKind.Inception, bool besideModel = true)
{
    private const string Suffix = "-classifier", Variable = "FEWSTEP_INCEPTION";

    private readonly Option<FeatureKind> _features = command.Named("--features", "Features that metrics are measured on.", usual,
        ("inception", FeatureKind.Inception), ("classifier", FeatureKind.Classifier));

    private readonly Option<string?> _inception = command.Optional<string?>(
        "--inception", $"Inception-v3's weights, {string.Join(" or ", InceptionFile.Known.Select(f => f.Name))}; left out, "
            + $"{Variable} or a folder models.", "file");

    private readonly Option<string?> _classifier = command.Optional<string?>("--classifier", $"{classifier} Left out, "
        + (besideModel ? $"the folder that is called as the model with {Suffix} after it, else " : "") + "that of the embedded model.",
        "folder");

    private static string WhereToGet =>
        $"Fetch {string.Join(", or ", InceptionFile.Known.Select(f => $"{f.Name} from {f.Source} (SHA-256 {f.Sha256})"))}; then name it "
            + $"with --inception or {Variable}, or put it into models/. --features classifier needs no such file.";

    /// <summary>The network for the metrics that take either.</summary>
    public FeatureKind Kind(ParseResult parsed) => parsed.GetValue(_features);

    public bool IsKindGiven(ParseResult parsed) => parsed.IsGiven(_features);

    /// <summary>Opens a network for images of a shape.</summary>
    /// <returns>The network; the caller owns it.</returns>
    public IClassScorer Open(FeatureKind kind, ParseResult parsed, ImageShape shape, string? model)
    {
        if (kind == FeatureKind.Inception)
            return InceptionFeatures.Load(Inception(parsed), shape, DeviceFlag.Resolve(parsed));
        return OpenClassifier(Classifier(parsed, model), parsed, shape, "choose a --classifier of that shape, or --features inception");
    }

    /// <summary>Opens a classifier for images of a shape.</summary>
    /// <param name="remedy">What to do where it takes another one.</param>
    /// <returns>The classifier; the caller owns it.</returns>
    public static IClassScorer OpenClassifier(string folder, ParseResult parsed, ImageShape shape, string remedy) =>
        FeatureClassifierFolder.LoadFor(folder, shape, DeviceFlag.Resolve(parsed), remedy);

    /// <summary>The classifier's folder that was named; else the one beside the model, where there is one; else the embedded one.</summary>
    public string Classifier(ParseResult parsed, string? model)
    {
        string? beside = model is null ? null : $"{Path.TrimEndingDirectorySeparator(model)}{Suffix}";
        return parsed.GetValue(_classifier) ?? (Directory.Exists(beside) ? beside : EmbeddedDefault.Classifier);
    }

    /// <summary>Path of Inception-v3's weights: named, in a variable, or in a folder <c>models</c> here or beside the program.</summary>
    public string Inception(ParseResult parsed)
    {
        string? named = parsed.GetValue(_inception)
            ?? (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } variable ? variable : null);
        if (named is not null)
            return File.Exists(named) ? named : throw new InvalidInputException($"There is no weight file at {named}. {WhereToGet}");
        string[] folders = ["models", Path.Combine(AppContext.BaseDirectory, "models")];
        return folders.SelectMany(folder => InceptionFile.Known.Select(f => Path.Combine(folder, f.Name))).FirstOrDefault(File.Exists)
            ?? throw new InvalidInputException($"Inception-v3's weights are missing. {WhereToGet}");
    }
}
