using FewStep.Noise;
using FewStep.Platform;

namespace FewStep.Experiments;

/// <summary>The schedules that one search found, as <c>searches.json</c> keeps them.</summary>
/// <param name="Key">What the search depends on, hashed.</param>
/// <param name="Optimizer">The optimiser with its parameter.</param>
/// <param name="NetworkEvaluations">Network evaluations that were counted during the search, one for each image; without those of the loss curve.</param>
/// <param name="LossCurveEvaluations">Network evaluations of the loss curve that the search asked for, which other searches share; 0 without.</param>
/// <param name="Seconds">Wall-clock seconds of the search, without those of the loss curve.</param>
/// <param name="Schedules">What was found, one for each number of steps.</param>
/// <param name="FoundFor">The solver that the schedules are made for; null where they suit any.</param>
/// <param name="LossCurve">Hash of the loss curve that the search asked for; null where it asked for none.</param>
public sealed record ComparisonSearch(
    string Key,
    string Optimizer,
    long NetworkEvaluations,
    long LossCurveEvaluations,
    double Seconds,
    IReadOnlyList<ComparisonFoundSchedule> Schedules,
    string? FoundFor = null,
    string? LossCurve = null)
{
    /// <summary>Refuses values that no search gives.</summary>
    /// <param name="source">The file, for the message.</param>
    /// <exception cref="InvalidInputException">A value is out of range.</exception>
    internal void Check(string source)
    {
        if (Key.Length != 64 || NetworkEvaluations < 0 || LossCurveEvaluations < 0 || !double.IsFinite(Seconds) || Seconds < 0 || Schedules.Any(s => s is null))
        {
            throw new InvalidInputException($"{source} holds a search that is none (key {Key[..Math.Min(8, Key.Length)]}); delete the file to have all searched again.");
        }

        foreach (var found in Schedules)
        {
            found.ToSchedule(source);
        }
    }
}

/// <summary>A schedule of a <see cref="ComparisonSearch"/>.</summary>
/// <param name="Sigmas">N+1 noise levels.</param>
/// <param name="Terminal">What happens at the last one.</param>
/// <param name="Objective">What was minimised.</param>
/// <param name="Search">How.</param>
/// <param name="Loss">The objective at the schedule.</param>
/// <param name="StopReason">Why the search stopped.</param>
/// <param name="LossLow">Lower end of the objective's confidence interval; null where unknown.</param>
/// <param name="LossHigh">Upper end of the objective's confidence interval; null where unknown.</param>
public sealed record ComparisonFoundSchedule(
    IReadOnlyList<double> Sigmas,
    ScheduleTerminal Terminal,
    string Objective,
    string Search,
    double Loss,
    string StopReason,
    double? LossLow = null,
    double? LossHigh = null)
{
    /// <summary>Number of steps.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public int Steps => Sigmas.Count - 1;

    /// <summary>The schedule.</summary>
    /// <param name="source">Where it comes from, for the message.</param>
    /// <exception cref="InvalidInputException">The sigmas make none.</exception>
    public SamplingSchedule ToSchedule(string source)
    {
        try
        {
            return new SamplingSchedule(Sigmas, Terminal);
        }
        catch (InvalidInputException e)
        {
            throw new InvalidInputException($"{source}: {e.Message} Delete the file to have all searched again.", e);
        }
    }
}

/// <summary>Content of <c>searches.json</c>.</summary>
internal sealed record ComparisonSearchFile(int Version, IReadOnlyList<ComparisonSearch> Searches)
{
    public const string Name = "searches.json";
    private const int CurrentVersion = 1;

    /// <summary>Reads the file; no searches where there is none.</summary>
    /// <exception cref="InvalidInputException">It is invalid.</exception>
    public static IReadOnlyList<ComparisonSearch> Read(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        var content = JsonFile.Read<ComparisonSearchFile>(path);
        if (content.Version != CurrentVersion)
        {
            throw new InvalidInputException($"{path} has version {content.Version}; this program reads version {CurrentVersion}: delete it or choose another folder.");
        }

        foreach (var search in content.Searches)
        {
            (search ?? throw new InvalidInputException($"{path} holds null in its searches; delete it to have all searched again.")).Check(path);
        }

        return content.Searches;
    }

    public static void Write(string path, IReadOnlyList<ComparisonSearch> searches) => JsonFile.Write(path, new ComparisonSearchFile(CurrentVersion, searches));
}
