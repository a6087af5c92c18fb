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
/// ranges there are further files, and what came last lies in a small one beside them, so that one more range never writes many
/// anew.</summary>
internal sealed class MeasurementStore(string? path)
{
    public const string FileName = "measurements.json";

    /// <summary>Ranges of a file.</summary>
    public const int RangesOfFile = 1024;

    /// <summary>Most ranges of the small file, which then go into the last of the others.</summary>
    public const int RangesOfNewest = 32;

    private const int CurrentVersion = 1;
    private readonly Dictionary<string, (int File, MeasuredRange Range)> _ranges = new(StringComparer.Ordinal);
    private readonly List<List<string>> _files = [[]]; // keys, in the order in which they came
    private string? _lossCurve;
    private int _newest; // how many of a file's ranges, its last ones, are in the small file alone
    private int _newestOf; // and which file that is

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

    private string? Newest => path is null ? null : Path.ChangeExtension(path, "newest.json");

    /// <summary>Opens the files of a folder, of which the first is written with the first measurement.</summary>
    public static MeasurementStore Open(string? folder)
    {
        var store = new MeasurementStore(folder is null ? null : Path.Combine(folder, FileName));
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        int files = 0;
        for (; store.PathOf(files) is { } path && File.Exists(path); files++)
        {
            var content = Read(path);
            foreach (var range in content.Ranges)
                store.Put(files, Sharing(texts, range));
            store._lossCurve ??= content.LossCurve;
        }

        if (files > 0 && File.Exists(store.Newest))
        {
            // Those that are known are what a process left that was killed between writing them elsewhere and removing them here.
            foreach (var range in Read(store.Newest).Ranges.Where(r => !store._ranges.ContainsKey(r.Key)))
            {
                store.Put(files - 1, Sharing(texts, range));
                store._newest++;
            }

            store._newestOf = files - 1;
        }

        return store;
    }

    public MeasuredRange? Find(string key) => _ranges.TryGetValue(key, out var known) ? known.Range : null;

    /// <summary>Stores ranges, on disk before this returns; figures of the same images by other metrics are kept.</summary>
    public void Add(params ReadOnlySpan<MeasuredRange> ranges)
    {
        if (ranges.IsEmpty)
            return;
        var (written, isNew, last) = (new SortedSet<int>(), true, _files.Count - 1);
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
                (file, isNew) = (known.File, false);
            }

            Put(file, range);
            written.Add(file);
        }

        int count = _files[last].Count;
        if (isNew && written.Max == last && count is > RangesOfNewest and < RangesOfFile && _newest + ranges.Length <= RangesOfNewest
            && (_newest == 0 || _newestOf == last))
        {
            (_newest, _newestOf) = (_newest + ranges.Length, last);
            if (Newest is { } place)
                Write(place, _files[last].Skip(count - _newest), null);
            return;
        }

        foreach (int file in written)
            Write(file);
    }

    private static Content Read(string path)
    {
        var content = JsonFile.Read<Content>(path);
        if (content.Version != CurrentVersion)
        {
            throw new InvalidInputException(
                $"{path} has version {content.Version}; this program reads version {CurrentVersion}: delete it or choose another folder.");
        }

        foreach (var range in content.Ranges)
        {
            (range ?? throw new InvalidInputException($"{path} holds null in its ranges; delete it to have all measured again."))
                .Check(path);
        }

        return content;
    }

    // Most ranges have the same metrics, and several a trial: a text that was read before takes no memory again.
    private static MeasuredRange Sharing(Dictionary<string, string> texts, MeasuredRange range) => range with
    {
        Trial = Shared(texts, range.Trial),
        Figures = range.Figures.ToDictionary(f => Shared(texts, f.Key), f => (IReadOnlyList<MetricValue>)f.Value.ToArray()),
    };

    private static string Shared(Dictionary<string, string> texts, string text) =>
        texts.TryGetValue(text, out string? known) ? known : texts[text] = text;

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
            Write(place, _files[file], file == 0 ? _lossCurve : null);
        if (_newest == 0 || file != _newestOf)
            return;
        _newest = 0;
        if (Newest is { } newest)
            File.Delete(newest);
    }

    private void Write(string place, IEnumerable<string> keys, string? lossCurve) =>
        JsonFile.Write(place, new Content(CurrentVersion, [.. keys.Select(k => _ranges[k].Range)], lossCurve));

    private string? PathOf(int file) => path is null || file == 0 ? path
        : Path.ChangeExtension(path, InvariantText.Of($"{file:D4}.json"));

    private sealed record Content(int Version, IReadOnlyList<MeasuredRange> Ranges, string? LossCurve = null);
}
