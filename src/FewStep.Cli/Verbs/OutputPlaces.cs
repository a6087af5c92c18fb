using FewStep.Shards;

namespace FewStep.Cli.Verbs;

/// <summary>Where a command line writes to. Minutes of work must not end with a folder that cannot be written, and no output may replace
/// what is read.</summary>
internal static class OutputPlaces
{
    private const string Folder = "--out", Lists = "--list-";

    private static readonly string[] Files = ["--grid", "--output", "--weights"];

    // Options about images, whose folders no image may be added to.
    private static readonly string[] Images = ["--data", "--source", "--reference", "--test", "--images"];

    // Files that a model's folder holds beside what it is made of.
    private static readonly string[] Pictures = [".png", ".npz"];

    // What verbs write into their folder, where an input may lie.
    private static readonly (string Verb, string[] Names)[] Written =
    [
        ("schedule", [$"*{SamplerFile.Extension}"]), ("fit", [$"*{SamplerFile.Extension}"]),
        ("match", [$"*{SamplerFile.Extension}"]),
        ("tune", ["*.safetensors", "config.json", Model.SamplerName]),
        ("evaluate", [$"best{SamplerFile.Extension}"]), ("compare", [$"best{SamplerFile.Extension}"]), ("subset", ["*.gz"]),
        ("train-classifier", ["*.safetensors", "config.json"]),
    ];

    /// <summary>Checks the folder of <c>--out</c> and those that files are written into, defaults included, and that nothing which is read
    /// is written; nothing is left behind.</summary>
    public static void Check(ParseResult parsed)
    {
        if (IsList(parsed))
            return; // lists write nothing

        var inputs = Inputs(parsed).ToList();
        foreach (var (option, place) in Outputs(parsed))
        {
            if (new FileInfo(place) is not { Exists: true, Length: 0 }) // a pipe or device needs no room beside it
                WritableFolder.Check(option == Folder ? place : Path.GetDirectoryName(Path.GetFullPath(place)) ?? place);
            string real = RealPath.Of(place);
            if (inputs.Find(i => Replaces(parsed.CommandResult.Command.Name, option, real, i)) is { Option: { } source } taken)
            {
                string other = option == Folder ? "folder" : "file";
                throw new InvalidInputException(
                    $"{option} {place} would replace what {source} {taken.Place} reads; choose another {other}.");
            }
        }
    }

    /// <summary>Keeps the folder of <c>--out</c>, or the part of it that a shard makes, to this process; null for a verb
    /// that has none, or makes one in a single step.</summary>
    /// <returns>The lock; the caller owns it.</returns>
    public static FolderLock? Hold(ParseResult parsed) =>
        parsed.CommandResult.Command.Name != "convert" && !IsList(parsed)
            && Outputs(parsed).FirstOrDefault(o => o.Option == Folder).Place is { } folder
            ? FolderLock.Take(ShardFlags.StageOf(parsed)?.Shard is { } shard ? Part.Place(folder, shard) : folder) : null;

    private static bool IsList(ParseResult parsed) => parsed.CommandResult.Command.Options.OfType<Option<bool>>()
        .Any(o => o.Name.StartsWith(Lists, StringComparison.Ordinal) && parsed.GetValue(o));

    private static bool IsOutput(Option option) => option.Name == Folder || Files.Contains(option.Name);

    private static IEnumerable<(string Option, string Place)> Outputs(ParseResult parsed) =>
        from option in parsed.CommandResult.Command.Options.OfType<Option<string>>()
        where IsOutput(option)
        let place = parsed.GetValue(option)
        where place is not null
        select (option.Name, place);

    // Whatever a word of another option names, be it one of a list or behind a name for tables.
    private static IEnumerable<(string Option, string Place)> Inputs(ParseResult parsed)
    {
        var options = parsed.CommandResult.Command.Options.Where(o => !IsOutput(o))
            .SelectMany(o => Words(o is Option<string[]> several ? parsed.GetValue(several) ?? []
                : o is Option<string> one && parsed.GetValue(one) is { } text ? [text] : []).Select(w => (o.Name, Place: w)));
        var arguments = parsed.CommandResult.Command.Arguments.OfType<Argument<string>>()
            .SelectMany(a => Words([parsed.GetValue(a) ?? ""]).Select(w => ($"the {a.Name}", Place: w)));
        return options.Concat(arguments).Where(i => Path.Exists(i.Place));
    }

    private static IEnumerable<string> Words(IEnumerable<string> values) => values
        .SelectMany(v => v.Split(',').Append(v)).SelectMany(v => new[] { v, v[(v.IndexOf('=', StringComparison.Ordinal) + 1)..] })
        .Select(w => w.Trim()).Where(w => w.Length > 0).Distinct();

    private static bool Replaces(string verb, string option, string output, (string Option, string Place) input)
    {
        string read = RealPath.Of(input.Place);
        if (output == read)
            return true;
        if (option == Folder)
        {
            string[] names = Written.FirstOrDefault(w => w.Verb == verb).Names ?? [];
            return (verb == "train" && read == Path.Combine(output, "model"))
                || (Path.GetDirectoryName(read) == output && names.Any(
                    n => System.IO.Enumeration.FileSystemName.MatchesSimpleExpression(n, Path.GetFileName(read), ignoreCase: false)));
        }

        bool lies = Directory.Exists(read) && output.StartsWith(Path.Join(read, "/"), StringComparison.Ordinal);
        return lies && (Images.Contains(input.Option) || (File.Exists(output) && !Pictures.Contains(Path.GetExtension(output))));
    }
}
