using System.Security.Cryptography;
using System.Text.Json;
using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>A model read from disk in any form that is accepted, with the hash that identifies its weights. Owns the denoiser; dispose
/// it.</summary>
internal sealed class ModelSource : IDisposable
{
    private ModelSource(string path, LoadedModel model, string hash)
    {
        (Path, Config, Denoiser, Format, Remarks, Hash) = (path, model.Config, model.Denoiser, model.Format, model.Remarks, hash);
    }

    /// <summary>Where it was read from, as given.</summary>
    public string Path { get; }

    public ModelConfig Config { get; }

    /// <summary>The denoiser with float32 weights; owned here.</summary>
    public NetworkDenoiser Denoiser { get; }

    /// <summary>What was read, in words, e.g. <c>model folder</c>.</summary>
    public string Format { get; }

    /// <summary>One sentence for each thing that the checkpoint does not say and that was assumed, or that its user should know.</summary>
    public IReadOnlyList<string> Remarks { get; }

    /// <summary>SHA-256 of all that determines what the model computes: the configuration but for its names, and the file that holds the
    /// weights (the pickle, or the folder's safetensors file). Lower-case hexadecimal.</summary>
    public string Hash { get; }

    /// <summary>Reads a model in any accepted form, which its content tells, not its name.</summary>
    /// <returns>The model; the caller owns it.</returns>
    public static ModelSource Open(string path, ModelReadOptions? options = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        var source = Own(path, CheckpointFormats.Read(path, options ?? new ModelReadOptions()));
        if (device is not null)
            source.Denoiser.MoveTo(device);

        return source;
    }

    public void Dispose() => Denoiser.Dispose();

    internal static string HashOf(ModelConfig config, string weightsHash)
    {
        string what = JsonSerializer.Serialize(config with { Name = "", ClassNames = null }, JsonFile.Options) + weightsHash;
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(what)));
    }

    private static ModelSource Own(string path, LoadedModel model)
    {
        try
        {
            using var stream = File.OpenRead(model.WeightsPath);
            return new ModelSource(path, model, HashOf(model.Config, Convert.ToHexStringLower(SHA256.HashData(stream))));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            model.Denoiser.Dispose();
            throw ReadFailure.Of(model.WeightsPath, e);
        }
    }
}

/// <summary>A model read from somebody's checkpoint.</summary>
/// <param name="Denoiser">The denoiser with float32 weights; the caller owns it.</param>
internal sealed record LoadedModel(
    ModelConfig Config, NetworkDenoiser Denoiser, string Format, string WeightsPath, IReadOnlyList<string> Remarks);
