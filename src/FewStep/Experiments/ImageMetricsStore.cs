using FewStep.Metrics;
using FewStep.Platform;

namespace FewStep.Experiments;

/// <summary>The figures of one seed range under one combination.</summary>
/// <param name="Key">Hash of all that determines them.</param>
/// <param name="Values">Figures by feature network.</param>
/// <param name="NetworkEvaluations">Network evaluations that were counted, one for each image.</param>
public sealed record StoredImageMetrics(string Key, IReadOnlyList<IReadOnlyList<ImageMetricValue>> Values, long NetworkEvaluations);

/// <summary><c>image-metrics-ranges.json</c>: the seed ranges that <c>evaluate --metrics</c> has finished, so that an interrupted one goes on.</summary>
public sealed class ImageMetricsStore
{
    /// <summary>Name of the file.</summary>
    public const string Name = "image-metrics-ranges.json";

    private const int CurrentVersion = 1;
    private readonly string? _path;
    private readonly Dictionary<string, StoredImageMetrics> _ranges = new(StringComparer.Ordinal);

    private ImageMetricsStore(string? path) => _path = path;

    /// <summary>Opens a file; where there is none, it is written with the first range.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">The file is there and invalid.</exception>
    public static ImageMetricsStore Open(string path)
    {
        var store = new ImageMetricsStore(path);
        if (File.Exists(path))
        {
            var content = JsonFile.Read<Content>(path);
            if (content.Version != CurrentVersion || content.Ranges.Any(r => r is null || r.Values.Any(v => v is null || v.Count == 0 || v.Any(x => x is null || !double.IsFinite(x.Value)))))
            {
                throw new InvalidInputException($"{path} is damaged or of another version; delete it to have all measured again.");
            }

            foreach (var range in content.Ranges)
            {
                store._ranges[range.Key] = range;
            }
        }

        return store;
    }

    /// <summary>A store that is gone with the process.</summary>
    public static ImageMetricsStore InMemory() => new(null);

    /// <summary>The stored figures of a key; null where there are none.</summary>
    /// <param name="key">The key.</param>
    public StoredImageMetrics? Find(string key) => _ranges.GetValueOrDefault(key);

    /// <summary>Stores a range, on disk before this returns.</summary>
    /// <param name="range">Its figures.</param>
    /// <exception cref="InvalidInputException">The file cannot be written.</exception>
    public void Add(StoredImageMetrics range)
    {
        ArgumentNullException.ThrowIfNull(range);
        _ranges[range.Key] = range;
        if (_path is not null)
        {
            JsonFile.Write(_path, new Content(CurrentVersion, [.. _ranges.Values]));
        }
    }

    private sealed record Content(int Version, IReadOnlyList<StoredImageMetrics> Ranges);
}
