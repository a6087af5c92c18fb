using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FewStep.Networks;
using FewStep.Runtime;

namespace FewStep.Checkpoints;

/// <summary>A model read from disk in any form that is accepted, with the hash that identifies its weights. Owns the denoiser; dispose it.</summary>
public sealed class ModelSource : IDisposable
{
    private const string Accepted = "Accepted are a model folder (" + ModelFolder.ConfigName + " and " + ModelFolder.WeightsName + ") and a network pickle of NVlabs/edm (.pkl).";
    private const string PickleExtension = ".pkl";
    private const string OnnxExtension = ".onnx"; // read by the project FewStep.Onnx

    private ModelSource(string path, ModelConfig config, NetworkDenoiser denoiser, string hash) => (Path, Config, Denoiser, Hash) = (path, config, denoiser, hash);

    /// <summary>Where it was read from, as given.</summary>
    public string Path { get; }

    /// <summary>What the model is.</summary>
    public ModelConfig Config { get; }

    /// <summary>The denoiser with float32 weights; owned here.</summary>
    public NetworkDenoiser Denoiser { get; }

    /// <summary>SHA-256 of all that determines what the model computes: the configuration but for its names, and the file that holds the weights (the pickle, or the folder's safetensors file). Lower-case hexadecimal.</summary>
    public string Hash { get; }

    /// <summary>Reads a model.</summary>
    /// <param name="path">A model folder, or a network pickle of NVlabs/edm.</param>
    /// <returns>The model; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">There is nothing, nothing that is accepted, or a damaged model.</exception>
    public static ModelSource Open(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path))
        {
            var (config, denoiser) = ModelFolder.Read(path);
            return Own(path, config, denoiser, System.IO.Path.Combine(path, ModelFolder.WeightsName));
        }

        if (!File.Exists(path))
        {
            throw new InvalidInputException($"There is no model at {Printable.Text(path)}. {Accepted}");
        }

        if (path.EndsWith(OnnxExtension, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidInputException($"{path} is an ONNX file: it can be sampled, searched for schedules and compared, but its weights cannot be tuned or converted. Take the checkpoint that it was exported from.");
        }

        if (!path.EndsWith(PickleExtension, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidInputException($"{path} is no model. {Accepted}");
        }

        var (pickled, network) = EdmModel.Read(path);
        return Own(path, pickled, network, path);
    }

    /// <inheritdoc/>
    public void Dispose() => Denoiser.Dispose();

    private static ModelSource Own(string path, ModelConfig config, NetworkDenoiser denoiser, string weights)
    {
        try
        {
            using var stream = File.OpenRead(weights);
            string what = JsonSerializer.Serialize(config with { Name = "", ClassNames = null }, JsonFile.Options) + Convert.ToHexStringLower(SHA256.HashData(stream));
            return new ModelSource(path, config, denoiser, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(what))));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            denoiser.Dispose();
            throw new InvalidInputException($"Cannot read {weights}: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }
}
