using FewStep.Models;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FewStep.Platform;
using FewStep.Search;

namespace FewStep.Experiments;

/// <summary>The folder of a run: where its files lie, and whether it may be begun or resumed there.</summary>
internal sealed class RunFolder
{
    public const string ManifestName = "manifest.json";

    private RunFolder(string path) => Path = path;

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The measured loss curve.</summary>
    public string LossCurve => At(LossCurveFile.Name);

    /// <summary>The sampler that the run delivers: the folder is a model folder.</summary>
    public string Sampler => At(Model.SamplerName);

    /// <summary>TensorBoard events.</summary>
    public string Events => At("events");

    /// <summary>Folder of a round: its schedule, checkpoint, curve and model.</summary>
    /// <param name="round">From 1.</param>
    public string Round(int round) => At("checkpoints", FormattableString.Invariant($"round-{round}"));

    /// <summary>Begins a run, or goes on with one.</summary>
    /// <param name="path">The folder.</param>
    /// <param name="manifest">What the run is; resuming demands the same identity.</param>
    /// <param name="resume">Whether a run that lies there is to be gone on with.</param>
    /// <param name="kept">The manifest that counts: the stored one of a run that is gone on with, which knows when and how it began.</param>
    /// <exception cref="InvalidInputException">There is a run and <paramref name="resume"/> is false, another run, or none to resume.</exception>
    public static RunFolder Open(string path, RunManifest manifest, bool resume, out RunManifest kept)
    {
        kept = manifest;
        var folder = new RunFolder(path);
        string file = folder.At(ManifestName);
        if (File.Exists(file))
        {
            if (!resume)
            {
                throw new InvalidInputException($"{path} holds a run already; resume it, or choose another folder.");
            }

            kept = JsonFile.Read<RunManifest>(file);
            if (kept.Identity != manifest.Identity)
            {
                throw new InvalidInputException($"{path} holds a run with {Difference(kept, manifest)}; repeat what it began with, or choose another folder.");
            }
        }
        else if (resume)
        {
            throw new InvalidInputException($"There is no run to resume in {path}: {ManifestName} is missing.");
        }
        else if (Directory.Exists(path) && Directory.EnumerateFileSystemEntries(path).Any())
        {
            throw new InvalidInputException($"{path} is not empty and holds no run; choose another folder.");
        }
        else
        {
            JsonFile.Write(file, manifest);
        }

        return folder;
    }

    private static string Difference(RunManifest kept, RunManifest wanted)
    {
        return JsonLeaves.Difference(kept.Run.Options, wanted.Run.Options) is string difference ? $"other options ({difference})"
            : kept.Model.Hash != wanted.Model.Hash ? "another model"
            : "other data";
    }

    /// <summary>A path in the folder.</summary>
    /// <param name="parts">Parts of the path.</param>
    public string At(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([Path, .. parts]);

    /// <summary>Writes the manifest again, with what is known at the end of a sitting.</summary>
    /// <param name="manifest">The manifest.</param>
    public void Update(RunManifest manifest) => JsonFile.Write(At(ManifestName), manifest);
}

/// <summary>What a run is and what it ran on: <c>manifest.json</c>.</summary>
internal sealed record RunManifest
{
    /// <summary>SHA-256 over model, data and options: equal for runs whose results must be equal.</summary>
    public required string Identity { get; init; }

    /// <summary>Versions, seed, options, machine.</summary>
    public required ManifestSummary Run { get; init; }

    /// <summary>The model.</summary>
    public required ModelSummary Model { get; init; }

    /// <summary>The images.</summary>
    public required DataSummary Data { get; init; }

    /// <summary>What each stage cost; empty until the run is complete.</summary>
    public IReadOnlyList<LedgerLineSummary> Ledger { get; init; } = [];

    /// <summary>The options by the names of their file format, defaults included: <c>tuning.updates</c>.</summary>
    /// <param name="options">Options.</param>
    public static IReadOnlyDictionary<string, string> OptionsOf(RunOptions options) => JsonLeaves.Of(JsonSerializer.SerializeToNode(Plain(options), JsonFile.Options));

    /// <summary>The identity of a run.</summary>
    /// <param name="options">Its options; folder, command line and the data's name do not count.</param>
    /// <param name="parts">Hashes of model, data and feature network.</param>
    public static string IdentityOf(RunOptions options, params ReadOnlySpan<string> parts)
    {
        string text = JsonSerializer.Serialize(Plain(options), JsonFile.Options);
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text + string.Join('|', parts))));
    }

    // Without what says where and how it was called; the weightings follow from the power.
    private static RunOptions Plain(RunOptions options) => options with { Folder = "", CommandLine = null, DataName = null, Curve = options.Curve with { Weightings = [] } };
}
