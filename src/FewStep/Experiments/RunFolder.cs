using FewStep.Models;
using FewStep.Search;

namespace FewStep.Experiments;

/// <summary>The folder of a run: where its files lie, and whether it may be begun or resumed there.</summary>
internal sealed class RunFolder(string path)
{
    public const string ManifestName = "manifest.json";

    public string Path => path;
    /// <summary>The sampler that the run delivers: the folder is a model folder.</summary>
    public string Sampler => At(Model.SamplerName);

    public string Events => At("events");

    /// <summary>Folder of a round: its schedule, checkpoint, curve and model.</summary>
    public string Round(int round) => At("checkpoints", FormattableString.Invariant($"round-{round}"));

    /// <summary>The sampler that a round tunes to, made where it is not there yet, so that resuming tunes to the same bits; the first one
    /// is a fitted one and lies on top, for it needs no tuning.</summary>
    public Sampler Start(int round, Func<Sampler> make)
    {
        string path = round == 1 ? At("fitted.sampler.json") : System.IO.Path.Combine(Round(round), "start.sampler.json");
        if (!File.Exists(path))
            make().Save(path);
        return FewStep.Sampler.Read(path);
    }

    /// <summary>Begins a run, or goes on with one.</summary>
    public static RunFolder Open(string path, RunManifest manifest, bool resume, out RunManifest kept)
    {
        kept = manifest;
        var folder = new RunFolder(path);
        string file = folder.At(ManifestName);
        if (File.Exists(file))
        {
            if (!resume)
                throw new InvalidInputException($"{path} holds a run already; resume it, or choose another folder.");
            kept = JsonFile.Read<RunManifest>(file);
            if (kept.Identity != manifest.Identity)
            {
                throw new InvalidInputException(
                    $"{path} holds a run with {Difference(kept, manifest)}; repeat what it began with, or choose another folder.");
            }
        }
        else if (resume)
        {
            throw new InvalidInputException($"There is no run to resume in {path}: {ManifestName} is missing.");
        }
        else if (Directory.Exists(path) && !FolderLock.IsEmpty(path))
        {
            throw new InvalidInputException($"{path} is not empty and holds no run; choose another folder.");
        }
        else
        {
            JsonFile.Write(file, manifest);
        }

        return folder;
    }

    private static string Difference(RunManifest kept, RunManifest wanted) =>
        JsonLeaves.Difference(kept.Run.Options, wanted.Run.Options) is string difference ? $"other options ({difference})"
            : kept.Model.Hash != wanted.Model.Hash ? "another model" : "other data";

    public string At(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>The loss curve in one of its folders, estimated where it is not there yet.</summary>
    /// <param name="modelHash">The model that the curve must be of.</param>
    public static LossCurve Curve(string folder, string modelHash, Func<LossCurve> estimate)
    {
        string path = System.IO.Path.Combine(folder, LossCurveFile.Name);
        if (!File.Exists(path))
            LossCurveFile.Write(path, estimate());
        return LossCurveFile.ReadFor(path, modelHash);
    }

    /// <summary>Writes the manifest again, with what is known at the end of a sitting.</summary>
    public void Update(RunManifest manifest) => JsonFile.Write(At(ManifestName), manifest);
}

/// <summary>What a run is and what it ran on: <c>manifest.json</c>.</summary>
internal sealed record RunManifest
{
    /// <summary>SHA-256 over model, data and options: equal for runs whose results must be equal.</summary>
    public required string Identity { get; init; }

    public required ManifestSummary Run { get; init; }
    public required ModelSummary Model { get; init; }
    public required DataSummary Data { get; init; }

    /// <summary>What each stage cost; empty until the run is complete.</summary>
    public IReadOnlyList<LedgerLineSummary> Ledger { get; init; } = [];

    /// <summary>The options by the names of their file format, defaults included: <c>tuning.updates</c>.</summary>
    public static IReadOnlyDictionary<string, string> OptionsOf(RunOptions options)
        => JsonLeaves.Of(JsonSerializer.SerializeToNode(Plain(options), JsonFile.Options));

    public static string IdentityOf(RunOptions options, params ReadOnlySpan<string> parts)
    {
        string text = JsonSerializer.Serialize(Plain(options), JsonFile.Options);
        return Sha256.Of(text + string.Join('|', parts));
    }

    // Without what says where and how it was called; the weightings follow from the power.
    private static RunOptions Plain(RunOptions options)
        => options with { Folder = "", CommandLine = null, DataName = null, Curve = options.Curve with { Weightings = [] } };
}
