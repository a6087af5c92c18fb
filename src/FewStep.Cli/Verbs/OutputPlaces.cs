using System.CommandLine;
using FewStep.Runtime;

namespace FewStep.Cli.Verbs;

/// <summary>Where a command line writes to. Minutes of work must not end with a folder that cannot be written.</summary>
internal static class OutputPlaces
{
    private const string Folder = "--out", File = "--grid";

    /// <summary>Checks the folder of <c>--out</c> and the one that the file of <c>--grid</c> lies in, defaults included; nothing is left behind.</summary>
    /// <param name="parsed">The command line.</param>
    /// <exception cref="InvalidInputException">A place cannot be written.</exception>
    public static void Check(ParseResult parsed)
    {
        foreach (var option in parsed.CommandResult.Command.Options.OfType<Option<string>>())
        {
            if (option.Name is Folder or File && parsed.GetValue(option) is string place)
            {
                WritableFolder.Check(option.Name == Folder ? place : Path.GetDirectoryName(Path.GetFullPath(place)) ?? place);
            }
        }
    }
}
