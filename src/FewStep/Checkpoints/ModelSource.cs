using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FewStep.Networks;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Checkpoints;

/// <summary>A model read from disk in any form that is accepted, with the hash that identifies its weights. Owns the denoiser; dispose it.</summary>
public sealed class ModelSource : IDisposable
{
    private const string Accepted = "Accepted are a model folder (" + ModelFolder.ConfigName + " and " + ModelFolder.WeightsName
        + "), a network pickle of NVlabs/edm, a state dictionary of openai/guided-diffusion or openai/consistency_models, and a diffusers folder of a UNet2DModel.";

    private const string OnnxExtension = ".onnx"; // read by the project FewStep.Onnx

    private ModelSource(string path, LoadedModel model, string hash)
    {
        (Path, Config, Denoiser, Format, Remarks, Hash) = (path, model.Config, model.Denoiser, model.Format, model.Remarks, hash);
    }

    /// <summary>Where it was read from, as given.</summary>
    public string Path { get; }

    /// <summary>What the model is.</summary>
    public ModelConfig Config { get; }

    /// <summary>The denoiser with float32 weights; owned here.</summary>
    public NetworkDenoiser Denoiser { get; }

    /// <summary>What was read, in words, e.g. <c>model folder</c>.</summary>
    public string Format { get; }

    /// <summary>One sentence for each thing that the checkpoint does not say and that was assumed, or that its user should know.</summary>
    public IReadOnlyList<string> Remarks { get; }

    /// <summary>SHA-256 of all that determines what the model computes: the configuration but for its names, and the file that holds the weights (the pickle, or the folder's safetensors file). Lower-case hexadecimal.</summary>
    public string Hash { get; }

    /// <summary>Reads a model in any accepted form, which its content tells, not its name.</summary>
    /// <param name="path">A model folder, a network pickle of NVlabs/edm, a state dictionary in the names of openai/guided-diffusion (<c>torch.save</c> or safetensors), or a diffusers folder.</param>
    /// <param name="options">What the checkpoint does not say; null for nothing.</param>
    /// <param name="device">Where the denoiser computes; null for the processor.</param>
    /// <returns>The model; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">There is nothing, nothing that is accepted, a damaged model, or an option that contradicts it.</exception>
    public static ModelSource Open(string path, ModelReadOptions? options = null, Device? device = null)
    {
        ArgumentNullException.ThrowIfNull(path);
        var source = Read(path, options ?? new ModelReadOptions());
        if (device is not null)
        {
            source.Denoiser.MoveTo(device);
        }

        return source;
    }

    /// <inheritdoc/>
    public void Dispose() => Denoiser.Dispose();

    private static ModelSource Read(string path, ModelReadOptions options)
    {
        switch (ModelFormats.Detect(path))
        {
            case ModelFormat.Folder:
                options.RefuseAllBut(path, "a model folder");
                var (config, denoiser) = ModelFolder.Read(path);
                return Own(path, new LoadedModel(config, denoiser, "model folder", System.IO.Path.Combine(path, ModelFolder.WeightsName), []));
            case ModelFormat.Diffusers:
                return Own(path, DiffusersFolder.Read(path, options));
            case ModelFormat.Pickle:
                options.RefuseAllBut(path, "a network pickle of NVlabs/edm", nameof(options.Section));
                var (pickled, network) = options.Section is null ? EdmModel.Read(path) : EdmModel.Read(path, options.Section);
                return Own(path, new LoadedModel(pickled, network, "network pickle of NVlabs/edm", path, []));
            case ModelFormat.TorchState or ModelFormat.Safetensors:
                return Own(path, GuidedDiffusionModel.Read(path, options));
            case ModelFormat.Unknown when File.Exists(path) && path.EndsWith(OnnxExtension, StringComparison.OrdinalIgnoreCase):
                throw new InvalidInputException($"{path} is an ONNX file: it can be sampled, searched for schedules and compared, but its weights cannot be tuned or converted. Take the checkpoint that it was exported from.");
            default:
                throw new InvalidInputException(File.Exists(path) ? $"{path} is no model. {Accepted}" : $"There is no model at {Printable.Text(path)}. {Accepted}");
        }
    }

    /// <summary>What <see cref="Hash"/> is.</summary>
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
