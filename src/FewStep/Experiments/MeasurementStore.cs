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

/// <summary><c>measurements.json</c>: what an experiment has measured so far, so that nothing is measured twice. Beyond some number of
/// ranges there are further files, so that one more range never writes all of them anew.</summary>
internal sealed class MeasurementStore(string? path)
{
    public const string FileName = "measurements.json";

    /// <summary>Ranges of a file.</summary>
    public const int RangesOfFile = 1024;

    private const int CurrentVersion = 1;
    private readonly Dictionary<string, (int File, MeasuredRange Range)> _ranges = new(StringComparer.Ordinal);
    private readonly List<List<string>> _files = [[]]; // keys, in the order in which they came
    private string? _lossCurve;

    /// <summary>What the loss curve beside the file was measured on; null where there is none. Set it once the curve is written.</summary>
    public string? LossCurve
    {
        get => _lossCurve;
        set
        {
            _lossCurve = value;
            Write(0);
        }
    }

    /// <summary>All ranges, in the order in which they came.</summary>
    public IEnumerable<MeasuredRange> Ranges => _files.SelectMany(keys => keys).Select(key => _ranges[key].Range);

    /// <summary>Opens the files of a folder, of which the first is written with the first measurement.</summary>
    public static MeasurementStore Open(string? folder)
    {
        var store = new MeasurementStore(folder is null ? null : Path.Combine(folder, FileName));
        for (int file = 0; store.PathOf(file) is { } path && File.Exists(path); file++)
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
                store.Put(file, range);
            }

            store._lossCurve ??= content.LossCurve;
        }

        return store;
    }

    public MeasuredRange? Find(string key) => _ranges.TryGetValue(key, out var known) ? known.Range : null;

    /// <summary>Stores ranges, on disk before this returns; figures of the same images by other metrics are kept.</summary>
    public void Add(params ReadOnlySpan<MeasuredRange> ranges)
    {
        var written = new SortedSet<int>();
        foreach (var added in ranges)
        {
            var range = added;
            range.Check("The experiment");
            int file = _files[^1].Count < RangesOfFile ? _files.Count - 1 : _files.Count;
            if (_ranges.TryGetValue(range.Key, out var known))
            {
                var figures = known.Range.Figures.ToDictionary();
                foreach (var (metric, values) in range.Figures)
                    figures[metric] = values;
                range = known.Range with { Figures = figures, Seconds = known.Range.Seconds + range.Seconds };
                file = known.File;
            }

            Put(file, range);
            written.Add(file);
        }

        foreach (int file in written)
            Write(file);
    }

    private void Put(int file, MeasuredRange range)
    {
        while (_files.Count <= file)
            _files.Add([]);
        if (!_ranges.ContainsKey(range.Key))
            _files[file].Add(range.Key);
        _ranges[range.Key] = (file, range);
    }

    private void Write(int file)
    {
        if (PathOf(file) is { } place)
        {
            JsonFile.Write(
                place, new Content(CurrentVersion, [.. _files[file].Select(k => _ranges[k].Range)], file == 0 ? _lossCurve : null));
        }
    }

    private string? PathOf(int file) => path is null || file == 0 ? path
        : Path.ChangeExtension(path, InvariantText.Of($"{file:D4}.json"));

    private sealed record Content(int Version, IReadOnlyList<MeasuredRange> Ranges, string? LossCurve = null);
}
