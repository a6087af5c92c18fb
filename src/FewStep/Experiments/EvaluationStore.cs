using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FewStep.Metrics;
using FewStep.Platform;

namespace FewStep.Experiments;

/// <summary><c>evaluations.json</c>: what a comparison has measured so far, so that an interrupted one goes on and a finished cell is not measured again.</summary>
/// <remarks>
/// A measurement is found by a hash of all that determines it: weights and number format, sigmas, terminal rule, solver, seeds, feature network and reference images. Labels follow from the seeds
/// (<see cref="Sampling.SeedLabels"/>). The batch size is not part of it.
/// </remarks>
public sealed class EvaluationStore
{
    /// <summary>Name of the file.</summary>
    public const string Name = "evaluations.json";

    private const int CurrentVersion = 1;
    private readonly string? _path;
    private readonly Dictionary<string, MeasuredRange> _ranges = [];
    private readonly Dictionary<string, EndpointRange> _endpoints = [];
    private string? _lossCurve;

    private EvaluationStore(string? path, string? lossCurve, IEnumerable<MeasuredRange> ranges, IEnumerable<EndpointRange> endpoints)
    {
        (_path, _lossCurve) = (path, lossCurve);
        foreach (var range in ranges)
        {
            _ranges[range.Key] = range;
        }

        foreach (var endpoint in endpoints)
        {
            _endpoints[endpoint.Key] = endpoint;
        }
    }

    /// <summary>Opens a file; where there is none, it is written with the first measurement.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">The file is there and invalid.</exception>
    public static EvaluationStore Open(string path)
    {
        if (!File.Exists(path))
        {
            return new EvaluationStore(path, null, [], []);
        }

        var content = JsonFile.Read<Content>(path);
        if (content.Version != CurrentVersion)
        {
            throw new InvalidInputException($"{path} has version {content.Version}; this program reads version {CurrentVersion}: delete it or choose another folder.");
        }

        foreach (var range in content.Ranges)
        {
            (range ?? throw new InvalidInputException($"{path} holds null in its ranges; delete it to have all measured again.")).Check(path);
        }

        foreach (var endpoint in content.Endpoints ?? [])
        {
            (endpoint ?? throw new InvalidInputException($"{path} holds null in its endpoints; delete it to have all measured again.")).Check(path);
        }

        return new EvaluationStore(path, content.LossCurve, content.Ranges, content.Endpoints ?? []);
    }

    /// <summary>A store that is gone with the process.</summary>
    public static EvaluationStore InMemory() => new(null, null, [], []);

    /// <summary>What the loss curve beside the file was measured on, as its owner wrote it; null where there is none. Set it once the curve is written.</summary>
    public string? LossCurve
    {
        get => _lossCurve;
        set
        {
            _lossCurve = value;
            Write();
        }
    }

    /// <summary>The stored measurement of a key; null where there is none.</summary>
    /// <param name="key">See <see cref="Key"/>.</param>
    public MeasuredRange? Find(string key) => _ranges.GetValueOrDefault(key);

    /// <summary>The stored endpoint distance of a key; null where there is none.</summary>
    /// <param name="key">See <see cref="EndpointKey"/>.</param>
    public EndpointRange? FindEndpoint(string key) => _endpoints.GetValueOrDefault(key);

    /// <summary>Stores what was measured on one sampling of a range, on disk before this returns.</summary>
    /// <param name="range">The distance to real images; null where it was not measured.</param>
    /// <param name="endpoint">The distance to the teacher's endpoints; null (default) where it was not measured.</param>
    /// <exception cref="InvalidInputException">The file cannot be written.</exception>
    public void Add(MeasuredRange? range, EndpointRange? endpoint = null)
    {
        const string source = "The comparison";
        range?.Check(source);
        endpoint?.Check(source);
        if (range is not null)
        {
            _ranges[range.Key] = range;
        }

        if (endpoint is not null)
        {
            _endpoints[endpoint.Key] = endpoint;
        }

        Write();
    }

    /// <summary>The key of a measurement.</summary>
    /// <param name="cell">Weights, schedule and solver.</param>
    /// <param name="range">The seeds.</param>
    /// <param name="evaluation">Feature network and reference images.</param>
    /// <returns>64 hexadecimal digits.</returns>
    public static string Key(ComparisonCell cell, SeedRange range, FrechetEvaluation evaluation) =>
        Hash($"{Sampled(cell)}\n{Seeds(range)}\n{evaluation.Reference.ExtractorHash}\n{evaluation.Reference.ImageSetHash}");

    /// <summary>The key of an endpoint distance.</summary>
    /// <param name="cell">Weights, schedule and solver.</param>
    /// <param name="range">The seeds.</param>
    /// <param name="teacher">The fine sampler.</param>
    /// <returns>64 hexadecimal digits.</returns>
    public static string EndpointKey(ComparisonCell cell, SeedRange range, ComparisonCell teacher) => Hash($"{Sampled(cell)}\n{Seeds(range)}\nendpoint of\n{Sampled(teacher)}");

    /// <summary>What tells the images of some seeds from all others: the combination and the seeds, hashed.</summary>
    /// <param name="cell">Weights, schedule and solver.</param>
    /// <param name="seeds">The seeds, as text.</param>
    /// <returns>64 hexadecimal digits.</returns>
    internal static string ImagesKey(ComparisonCell cell, string seeds) => Hash($"{Sampled(cell)}\n{seeds}");

    private static string Sampled(ComparisonCell cell)
    {
        string sigmas = string.Join(' ', cell.Schedule.Sigmas.Select(s => s.ToString("R", CultureInfo.InvariantCulture)));
        return $"{cell.DenoiserIdentity}\n{sigmas}\n{cell.Schedule.Terminal}\n{cell.Solver.Name}";
    }

    private static string Seeds(SeedRange range) => string.Create(CultureInfo.InvariantCulture, $"{range.First} {range.Count}");

    private static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private void Write()
    {
        if (_path is not null)
        {
            JsonFile.Write(_path, new Content(CurrentVersion, [.. _ranges.Values], _lossCurve, _endpoints.Count == 0 ? null : [.. _endpoints.Values]));
        }
    }

    private sealed record Content(int Version, IReadOnlyList<MeasuredRange> Ranges, string? LossCurve = null, IReadOnlyList<EndpointRange>? Endpoints = null);
}
