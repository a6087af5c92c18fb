namespace FewStep.Cli.Verbs;

/// <summary>Where Inception-v3's weights are: named on the command line, in an environment variable, or in a folder <c>models</c> here or
/// beside the program.</summary>
internal static class InceptionPlace
{
    public const string Variable = "FEWSTEP_INCEPTION";

    public static string Find(string? given)
    {
        string? named = given ?? (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } variable ? variable : null);
        if (named is not null)
            return File.Exists(named) ? named : throw new InvalidInputException($"There is no weight file at {named}. {WhereToGet}");

        string[] folders = ["models", Path.Combine(AppContext.BaseDirectory, "models")];
        return folders.SelectMany(folder => InceptionFile.Known.Select(f => Path.Combine(folder, f.Name))).FirstOrDefault(File.Exists)
            ?? throw new InvalidInputException($"Inception-v3's weights are missing. {WhereToGet}");
    }

    private static string WhereToGet =>
        $"Fetch {string.Join(", or ", InceptionFile.Known.Select(f => $"{f.Name} from {f.Source} (SHA-256 {f.Sha256})"))}; then name it "
            + $"with --inception or {Variable}, or put it into models/. --features classifier needs no such file.";
}
