using FewStep.Checkpoints;
using FewStep.Models;

namespace FewStep.Onnx;

/// <summary>ONNX files and pipelines for <see cref="Model.Open"/>, which finds this class by its name.</summary>
internal sealed class OnnxFormat : IModelFormat
{
    /// <summary>What it computes in: providers round differently.</summary>
    public static string NumberFormat(OnnxProvider? provider) => provider is null or OnnxProvider.Cpu ? "onnx"
        : $"onnx {provider.ToString()!.ToLowerInvariant()}";

    public OpenedModel Open(string path, ModelOptions options)
    {
        if (Directory.Exists(path))
            return OnnxPipeline.Open(path, options);
        OpenedModel.RefuseNetworkOptions(path, options, "an ONNX file");
        var model = OnnxModel.Open(path, options.Onnx, options.Threads, options.Provider);
        var denoiser = model.Denoiser;
        if (options.Guidance is not null && model.Metadata is { Evaluations: > 1 })
        {
            model.Dispose();
            throw new InvalidInputException($"{path} was exported under guidance and holds it; leave the guidance out.");
        }

        return new OpenedModel
        {
            Denoiser = denoiser,
            Config = new ModelConfig
            {
                Name = model.Name,
                Shape = denoiser.Shape,
                Classes = denoiser.Classes,
                ClassNames = model.Description.ClassNames,
                Preconditioning = new() { Kind = model.Preconditioning, SigmaMin = denoiser.SigmaMin, SigmaMax = denoiser.SigmaMax },
            },
            Hash = model.Hash,
            Format = "ONNX file",
            NumberFormat = NumberFormat(options.Provider),
            Family = NoiseFamily.At(path, denoiser.Preconditioning, denoiser.Shape),
            KnowsNoClass = denoiser.KnowsNoClass,
            Owned = model,
        };
    }
}
