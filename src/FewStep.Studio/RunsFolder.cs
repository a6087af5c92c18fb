using FewStep.Experiments;
using FewStep.Reporting;

namespace FewStep.Studio;

/// <summary>What lies in a folder of results: experiments, samplers, models. Only data is read, and of that only what the library reads;
/// no page or script that lies there is ever handed on.</summary>
internal sealed class RunsFolder(string root)
{
    private const int MostFolders = 2000, MostRuns = 200, MostSamplers = 24, Depth = 3;

    /// <summary>The runs, the newest first.</summary>
    public IReadOnlyList<RunAnswer> List()
    {
        if (!Directory.Exists(root))
            return [];
        var options = new EnumerationOptions
        {
            RecurseSubdirectories = true,
            MaxRecursionDepth = Depth,
            IgnoreInaccessible = true,
            AttributesToSkip = FileAttributes.ReparsePoint | FileAttributes.Hidden,
        };
        var folders = Directory.EnumerateDirectories(root, "*", options).Take(MostFolders).Select(Describe).OfType<RunAnswer>();
        return [.. folders.OrderByDescending(r => r.Changed).Take(MostRuns)];
    }

    /// <summary>The report of an experiment, or of several together, made anew of what their summaries say.</summary>
    /// <exception cref="InvalidInputException">There is no such experiment, or they cannot be compared.</exception>
    public string Report(IReadOnlyList<string> runs)
    {
        if (runs.Count is 0 or > 12)
            throw new InvalidInputException("Choose one experiment to open, or up to twelve to compare.");
        List<(string Name, string Folder, Summary Summary)> read = [];
        foreach (string run in runs.Distinct())
        {
            string folder = Inside(run);
            string file = Path.Combine(folder, Summary.FileName);
            if (!File.Exists(file))
                throw new InvalidInputException($"{Printable.Text(run)} holds no experiment: {Summary.FileName} is missing.");
            var summary = JsonFile.Read<Summary>(file);
            read.Add((run, folder, summary.FormatVersion == Summary.CurrentFormatVersion ? summary
                : throw new InvalidInputException(
                    $"{Printable.Text(run)} was written by another version of this program; measure again.")));
        }

        if (read.Count == 1)
            return HtmlExporter.Render(read[0].Summary, path => StripFile.Read(read[0].Folder, path));
        var together = ComparedRuns.Together([.. read.Select(r => (r.Name, r.Summary))]);
        return HtmlExporter.Render(together, path => StripFile.Read(root, path));
    }

    private RunAnswer? Describe(string folder)
    {
        bool isExperiment = File.Exists(Path.Combine(folder, Summary.FileName));
        bool isModel = File.Exists(Path.Combine(folder, "config.json")) && File.Exists(Path.Combine(folder, "model.safetensors"));
        string[] samplers =
            [.. Directory.EnumerateFiles(folder, $"*{SamplerFile.Extension}").Take(MostSamplers).Order(StringComparer.Ordinal)];
        return !isExperiment && !isModel && samplers.Length == 0 ? null : new RunAnswer(
            Path.GetRelativePath(root, folder).Replace('\\', '/'), Directory.GetLastWriteTimeUtc(folder), isExperiment,
            isModel ? folder : null, samplers);
    }

    private string Inside(string run)
    {
        string place = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root)) + Path.DirectorySeparatorChar;
        bool isInside = run.Length is > 0 and < 1000 && !run.Any(char.IsControl) && !Path.IsPathRooted(run)
            && Path.GetFullPath(Path.Combine(place, run)).StartsWith(place, StringComparison.Ordinal);
        return isInside ? Path.GetFullPath(Path.Combine(place, run))
            : throw new InvalidInputException($"{Printable.Text(run)} is no run in {root}.");
    }
}

/// <summary>A folder of results.</summary>
/// <param name="Name">Its path below the folder of runs.</param>
/// <param name="IsExperiment">Whether it has a summary, which a report is made of.</param>
/// <param name="Model">Its path, where it is a model folder.</param>
/// <param name="Samplers">Paths of the samplers in it.</param>
internal sealed record RunAnswer(string Name, DateTime Changed, bool IsExperiment, string? Model, IReadOnlyList<string> Samplers);
