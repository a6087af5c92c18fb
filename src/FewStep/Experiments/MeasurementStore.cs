using FewStep.Metrics;

namespace FewStep.Experiments;

/// <summary>What was measured on one range of seeds of one trial: the unit in which an experiment is stored and resumed.</summary>
internal sealed record MeasuredRange(
    string Key, string Trial, long FirstSeed, int Images, long NetworkEvaluations, double Seconds,
    IReadOnlyDictionary<string, IReadOnlyList<MetricValue>> Figures)
{
    public void Check(string source)
    {
        bool sound = Key.Length == 64 && FirstSeed >= 0 && Images >= 2 && NetworkEvaluations >= 0 && double.IsFinite(Seconds)
            && Seconds >= 0
            && Figures.All(
                f => f.Key.Length == 64 && f.Value is { Count: > 0 } && f.Value.All(v => v is not null && double.IsFinite(v.Value)));
        if (!sound)
        {
            throw new InvalidInputException(
                $"{source} holds a measurement that is none (key {Key[..Math.Min(8, Key.Length)]}); delete the file to have all measured "
                    + "again.");
        }
    }
}

/// <summary><c>measurements.json</c>: what an experiment has measured so far, so that nothing is measured twice.</summary>
internal sealed class MeasurementStore(string? path)
{
    public const string FileName = "measurements.json";
    private const int CurrentVersion = 1;
    private readonly Dictionary<string, MeasuredRange> _ranges = new(StringComparer.Ordinal);
    private string? _lossCurve;

    /// <summary>What the loss curve beside the file was measured on; null where there is none. Set it once the curve is written.</summary>
    public string? LossCurve
    {
        get => _lossCurve;
        set
        {
            _lossCurve = value;
            Write();
        }
    }

    /// <summary>Opens the file of a folder, which is written with the first measurement.</summary>
    public static MeasurementStore Open(string? folder)
    {
        var store = new MeasurementStore(folder is null ? null : Path.Combine(folder, FileName));
        if (folder is not null && Path.Combine(folder, FileName) is var path && File.Exists(path))
        {
            var content = JsonFile.Read<Content>(path);
            if (content.Version != CurrentVersion)
            {
                throw new InvalidInputException(
                    $"{path} has version {content.Version}; this program reads version {CurrentVersion}: delete it or choose another "
                        + "folder.");
            }

            foreach (var range in content.Ranges)
            {
                (range ?? throw new InvalidInputException($"{path} holds null in its ranges; delete it to have all measured again."))
                    .Check(path);
                store._ranges[range.Key] = range;
            }

            store._lossCurve = content.LossCurve;
        }

        return store;
    }

    public MeasuredRange? Find(string key) => _ranges.GetValueOrDefault(key);

    /// <summary>Stores a range, on disk before this returns; figures of the same images by other metrics are kept.</summary>
    public void Add(MeasuredRange range)
    {
        range.Check("The experiment");
        if (Find(range.Key) is { } known)
        {
            var figures = known.Figures.ToDictionary();
            foreach (var (metric, values) in range.Figures)
                figures[metric] = values;
            range = known with { Figures = figures, Seconds = known.Seconds + range.Seconds };
        }

        _ranges[range.Key] = range;
        Write();
    }

    private void Write()
    {
        if (path is not null)
            JsonFile.Write(path, new Content(CurrentVersion, [.. _ranges.Values], _lossCurve));
    }

    private sealed record Content(int Version, IReadOnlyList<MeasuredRange> Ranges, string? LossCurve = null);
}
