using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Onnx.Writing;
using FewStep.Sampling;
using Google.Protobuf;

namespace FewStep.Onnx;

/// <summary>Writes models, and samplers with their models, as ONNX files that any program with an ONNX runtime can evaluate.</summary>
/// <remarks>Each file is loaded by ONNX Runtime, evaluated and compared with the model before it gets its name.</remarks>
public static class OnnxExport
{
    private const double DenoiserTolerance = 1e-4, SamplerTolerance = 1e-3; // a grey level is 4e-3 of the largest value
    private const int CheckedImages = 3;

    /// <summary>Writes the denoiser: x and sigma, and labels where there are classes, to the denoised images.</summary>
    /// <param name="model">A network, under guidance or not, opened in float32; stays the caller's.</param>
    /// <param name="path">Target, which ends in <c>.onnx</c>.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="InvalidInputException">The model is no network, a weight is too large for float16, the file would be too large, or
    /// it cannot be written.</exception>
    public static OnnxExported Write(Model model, string path, OnnxExportOptions? options = null)
    {
        using var scope = NewDisposeScope();
        var export = new Export(model, path, options ?? new());
        var denoiser = model.Denoiser;
        var metadata = export.Describe(OnnxKind.Denoiser, DenoiserWriter.Cost(denoiser, null));
        byte[] bytes = OnnxModelWriter.Denoiser(denoiser, metadata).ToByteArray();
        double middle = Math.Sqrt(denoiser.SigmaMin * denoiser.SigmaMax);
        var sigma = tensor([(float)denoiser.SigmaMin, (float)middle, (float)denoiser.SigmaMax]);
        var (noise, labels) = export.Inputs();
        var x = noise * sigma.view(-1, 1, 1, 1);
        using var written = OnnxModel.Of(path, bytes, metadata);
        return export.Finish(
            bytes, metadata, written.Denoiser.Denoise(x, sigma, labels), d => d.Denoise(x, sigma, labels), DenoiserTolerance);
    }

    /// <summary>Writes a sampler with its model: latents, unit noise, and labels where there are classes, to images.</summary>
    /// <param name="model">A network, under guidance or not, opened in float32; stays the caller's.</param>
    /// <param name="sampler">The sampler, whose steps the file then holds.</param>
    /// <param name="path">Target, which ends in <c>.onnx</c>.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="InvalidInputException">As <see cref="Write"/>; or the sampler's steps depend on the images, or it does not suit the
    /// model.</exception>
    public static OnnxExported WriteSampler(Model model, Sampler sampler, string path, OnnxExportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(sampler);
        using var scope = NewDisposeScope();
        var export = new Export(model, path, options ?? new());
        var denoiser = model.Denoiser;
        model.Checked(sampler, sampler.Origin.Schedule ?? "of the sampler");
        var linear = LinearSampler.Of(sampler);
        var metadata = export.Describe(OnnxKind.Sampler, linear.Calls.Sum(call => DenoiserWriter.Cost(denoiser, call.Sigma))) with
        {
            Steps = sampler.Steps,
            Sampler = SamplerFile.Text(sampler),
        };
        byte[] bytes = OnnxModelWriter.Sampler(denoiser, linear, metadata).ToByteArray();
        var (noise, labels) = export.Inputs();
        using var written = OnnxSampler.Of(path, bytes, metadata);
        return export.Finish(bytes, metadata, written.Sample(noise, labels),
            d => new SamplingLoop(d, sampler.Solver, sampler.Schedule).Sample(noise, labels).Samples, SamplerTolerance);
    }

    /// <summary>Writes a model that is told texts, or whose latents an autoencoder decodes, as the folder of a pipeline in ONNX, as other
    /// programs lay it out: <c>unet</c> or <c>transformer</c>, <c>vae_decoder</c>, <c>vae_encoder</c>, text encoders, tokenizers,
    /// scheduler. LoRAs are in the weights; guidance is whoever's who samples it.</summary>
    /// <param name="model">A checkpoint on the processor; stays the caller's.</param>
    /// <param name="folder">Target, which must not exist or be empty.</param>
    /// <param name="sampler">Written beside as <c>nN.sampler.json</c>, one fitted to the model bound to the folder's network; null
    /// (default) for none.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <exception cref="InvalidInputException">The model is no such, a weight is too large for float16, what ONNX Runtime computes differs
    /// from the model's own, or the folder cannot be written.</exception>
    public static OnnxExported WritePipeline(Model model, string folder, Sampler? sampler = null, OnnxExportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(folder);
        if (sampler is not null)
            model.Checked(sampler, sampler.Origin.Schedule ?? "of the sampler");
        return new OnnxPipelineExport(model, options ?? new()).Write(folder, sampler);
    }

    /// <summary>The largest difference, over the largest value.</summary>
    internal static double Difference(Tensor written, Tensor own)
        => (written - own).abs().max().item<float>() / own.abs().max().item<float>();

    /// <summary>One export: the model, and where and how it is written.</summary>
    private sealed class Export
    {
        private readonly Model _model;
        private readonly string _path;
        private readonly OnnxExportOptions _options;

        public Export(Model model, string path, OnnxExportOptions options)
        {
            ArgumentNullException.ThrowIfNull(model);
            ArgumentNullException.ThrowIfNull(path);
            (_model, _path, _options) = (model, path, options);
            if (!path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
                throw new InvalidInputException($"{path} does not end in .onnx, by which ONNX files are known; give it that ending.");
            if (OnnxPipelineExport.Is(model))
            {
                throw new InvalidInputException($"{model.Name} makes images of {(model.Autoencoder is null ? "prompts" : "latents")}: in "
                    + "ONNX it is the folder of a pipeline; one file, or a page, holds models of images. Give a folder.");
            }

            if (model.Guidance is { Rescale: > 0 })
                throw new InvalidInputException("An exported model holds guidance without rescale; leave the rescale out.");
            foreach (var network in DenoiserWriter.NetworksOf(model.Denoiser))
            {
                if (network.ComputeType != ScalarType.Float32 || network.Device.type != TorchSharp.DeviceType.CPU)
                    throw new InvalidInputException("A model that is exported must be opened in float32 and on the processor.");
            }
        }

        public OnnxMetadata Describe(OnnxKind kind, int evaluations) => new()
        {
            Kind = kind,
            Model = _model.Name,
            ModelHash = _model.Hash,
            License = _options.License,
            Version = typeof(Model).Assembly.GetName().Version!.ToString(3),
            Shape = _model.Shape,
            Classes = _model.Classes,
            KnowsNoClass = _model.Classes > 0 && _model.Denoiser is IKnowsNoClass { KnowsNoClass: true },
            ClassNames = _model.Config.ClassNames,
            Evaluations = evaluations,
            SigmaMin = _model.Denoiser.SigmaMin,
            SigmaMax = _model.Denoiser.SigmaMax,
            Guidance = _model.Guidance?.Weight ?? 1,
            WeightsType = _options.HalfWeights ? "float16" : "float32",
        };

        /// <summary>What the file is checked with.</summary>
        public (Tensor Noise, Tensor? Labels) Inputs()
        {
            long[] seeds = [.. Enumerable.Range(0, CheckedImages).Select(i => (long)i)];
            return (Latents.Draw(seeds, _model.Shape), SeedLabels.For(seeds, _model.Classes));
        }

        public OnnxExported Finish(byte[] bytes, OnnxMetadata metadata, Tensor written, Func<IDenoiser, Tensor> evaluate, double tolerance)
        {
            using var noGradient = no_grad();
            double error = Difference(written, evaluate(_options.HalfWeights ? Rounded(_model.Denoiser) : _model.Denoiser));
            if (!(error <= tolerance))
            {
                throw new InvalidInputException(InvariantText.Of(
                    $"ONNX Runtime's images differ from the model's own by {error:G3} of the largest value, so {_path} was not written."));
            }

            AtomicFile.Write(_path, stream => stream.Write(bytes));
            double rounding = _options.HalfWeights ? Difference(written, evaluate(_model.Denoiser)) : 0;
            return new(bytes.Length, metadata.Evaluations, error, rounding);
        }

        // The model with the weights that the file holds.
        private static IDenoiser Rounded(IDenoiser denoiser) => denoiser switch
        {
            GuidedDenoiser { GuideSeesLabels: true } guided => GuidedDenoiser.Auto(
                Rounded(guided.Model.Inner), Rounded(guided.GuideModel.Inner), guided.Guidance),
            GuidedDenoiser guided => GuidedDenoiser.ClassifierFree(Rounded(guided.Model.Inner), guided.Guidance),
            _ => new RoundedNetwork((NetworkDenoiser)denoiser),
        };
    }

    /// <summary>A network with the weights that a file in float16 holds of it.</summary>
    private sealed class RoundedNetwork(NetworkDenoiser network) : IDenoiser
    {
        private readonly Tensor _weights = OnnxWeights.AsStored(network.Layout, network.Weights, inHalf: true);

        public ImageShape Shape => network.Shape;
        public int Classes => network.Classes;
        public double SigmaMin => network.SigmaMin;
        public double SigmaMax => network.SigmaMax;
        public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels) => network.Denoise(_weights, x, sigma, labels);
    }
}
