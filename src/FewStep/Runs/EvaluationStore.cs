using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FewStep.Evaluation;
using FewStep.Runtime;

namespace FewStep.Runs;

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
    private readonly Dictionary<string, MeasuredRange> _ranges;
    private string? _lossCurve;

    private EvaluationStore(string? path, string? lossCurve, IEnumerable<MeasuredRange> ranges)
    {
        (_path, _lossCurve, _ranges) = (path, lossCurve, []);
        foreach (var range in ranges)
        {
            _ranges[range.Key] = range;
        }
    }

    /// <summary>Opens a file; where there is none, it is written with the first measurement.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidInputException">The file is there and invalid.</exception>
    public static EvaluationStore Open(string path)
    {
        if (!File.Exists(path))
        {
            return new EvaluationStore(path, null, []);
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

        return new EvaluationStore(path, content.LossCurve, content.Ranges);
    }

    /// <summary>A store that is gone with the process.</summary>
    public static EvaluationStore InMemory() => new(null, null, []);

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

    /// <summary>Stores a measurement, on disk before this returns.</summary>
    /// <param name="range">The measurement.</param>
    /// <exception cref="InvalidInputException">The file cannot be written.</exception>
    public void Add(MeasuredRange range)
    {
        range.Check("The comparison");
        _ranges[range.Key] = range;
        Write();
    }

    /// <summary>The key of a measurement.</summary>
    /// <param name="cell">Weights, schedule and solver.</param>
    /// <param name="range">The seeds.</param>
    /// <param name="evaluation">Feature network and reference images.</param>
    /// <returns>64 hexadecimal digits.</returns>
    public static string Key(ComparisonCell cell, SeedRange range, FrechetEvaluation evaluation)
    {
        string sigmas = string.Join(' ', cell.Schedule.Sigmas.Select(s => s.ToString("R", CultureInfo.InvariantCulture)));
        string text = string.Create(
            CultureInfo.InvariantCulture,
            $"{cell.DenoiserIdentity}\n{sigmas}\n{cell.Schedule.Terminal}\n{cell.Solver.Name}\n{range.First} {range.Count}\n{evaluation.Reference.ExtractorHash}\n{evaluation.Reference.ImageSetHash}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
    }

    private void Write()
    {
        if (_path is not null)
        {
            JsonFile.Write(_path, new Content(CurrentVersion, [.. _ranges.Values], _lossCurve));
        }
    }

    private sealed record Content(int Version, IReadOnlyList<MeasuredRange> Ranges, string? LossCurve = null);
}
