namespace FewStep.Cli.Verbs;

/// <summary>Where a command line writes to. Minutes of work must not end with a folder that cannot be written.</summary>
internal static class OutputPlaces
{
    private const string Folder = "--out", Grid = "--grid", Raw = "--output", Weights = "--weights", Lists = "--list-";

    /// <summary>Checks the folder of <c>--out</c> and those that the files of <c>--grid</c>, <c>--output</c> and <c>--weights</c> lie in,
    /// defaults included; nothing is left behind.</summary>
    public static void Check(ParseResult parsed)
    {
        var options = parsed.CommandResult.Command.Options;
        if (options.OfType<Option<bool>>().Any(o => o.Name.StartsWith(Lists, StringComparison.Ordinal) && parsed.GetValue(o)))
            return; // lists write nothing

        foreach (var option in options.OfType<Option<string>>())
        {
            if (option.Name is Folder or Grid or Raw or Weights && parsed.GetValue(option) is string place)
                WritableFolder.Check(option.Name == Folder ? place : Path.GetDirectoryName(Path.GetFullPath(place)) ?? place);
        }
    }
}
