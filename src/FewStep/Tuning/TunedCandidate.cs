namespace FewStep.Tuning;

/// <summary>A schedule that was tuned to for a short while, and how far the tuned model's samples then were from the fine path's.</summary>
internal sealed record TunedCandidate(
    IReadOnlyList<double> Sigmas, ScheduleTerminal Terminal, double Distance, double HalfWidth, long Evaluations, double Seconds)
{
    internal bool IsOf(SamplingSchedule schedule) => Terminal == schedule.Terminal && Sigmas.SequenceEqual(schedule.Sigmas);
}

/// <summary>The file of the candidates that are done, so that an interrupted search goes on.</summary>
internal sealed record TunedCandidateFile(string Fingerprint, IReadOnlyList<TunedCandidate> Candidates)
{
    /// <summary>Reads the candidates of the same search.</summary>
    public static List<TunedCandidate> Read(string? path, string fingerprint)
    {
        if (path is null || !File.Exists(path))
            return [];
        var file = JsonFile.Read<TunedCandidateFile>(path);
        if (file.Fingerprint != fingerprint)
        {
            throw new InvalidInputException($"{path} belongs to a search with another model or other options; choose another folder, or "
                + "repeat the options that it began with.");
        }

        if (file.Candidates.Any(
            c => c is null || c.Sigmas.Count < 2 || !(c.Distance >= 0) || !double.IsFinite(c.Distance) || c.Evaluations < 0))
        {
            throw new InvalidInputException($"{path} holds a candidate that is none; delete the file to search again.");
        }

        return [.. file.Candidates];
    }
}
