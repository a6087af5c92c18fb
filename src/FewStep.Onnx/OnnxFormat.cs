using FewStep.Checkpoints;
using FewStep.Models;

namespace FewStep.Onnx;

/// <summary>ONNX files for <see cref="Model.Open"/>, which finds this class by its name.</summary>
internal sealed class OnnxFormat : IModelFormat
{
    public OpenedModel Open(string path, ModelOptions options)
    {
        OpenedModel.RefuseNetworkOptions(path, options, "an ONNX file");
        var model = OnnxModel.Open(path, options.Onnx, options.Threads);
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
            NumberFormat = "onnx",
            IsFlow = model.IsFlow,
            KnowsNoClass = denoiser.KnowsNoClass,
            Owned = model,
        };
    }
}
