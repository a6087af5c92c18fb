using FewStep.Models;
using System.Security.Cryptography;
using System.Text;
using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Onnx;
using FewStep.Experiments;
using FewStep.Platform;

namespace FewStep.Cli.Verbs;

/// <summary>What a verb samples: a network, an ONNX file, or the exact denoiser of a Gaussian mixture in a JSON file; under guidance where that was asked for. Owns all of it.</summary>
internal sealed class SampledModel : IDisposable
{
    // EDM's noise levels, over which the standard schedules of a mixture run.
    private const double UsualMinimum = 0.002;
    private const double UsualMaximum = 80;

    private readonly List<IDisposable> _owned;

    private SampledModel(string path, IDenoiser denoiser, ModelConfig config, ModelSummary summary, string? numberFormat, IDisposable owned)
    {
        (Path, Denoiser, Config, Summary, NumberFormat) = (path, denoiser, config, summary, numberFormat);
        _owned = [owned];
    }

    /// <summary>Where it was read from, as given.</summary>
    public string Path { get; }

    /// <summary>The denoiser, under guidance where that was asked for.</summary>
    public IDenoiser Denoiser { get; private init; }

    /// <summary>Shape, classes and name; of anything but a network nothing else in it means anything.</summary>
    public ModelConfig Config { get; }

    /// <summary>For the manifest; its hash is that of the guided model, where there is guidance.</summary>
    public ModelSummary Summary { get; private init; }

    /// <summary>What tells it from every other model: weights, preconditioning and guidance, hashed.</summary>
    public string Hash => Summary.Hash!;

    /// <summary>The network with its source, of a model that <see cref="OpenNetwork"/> gave.</summary>
    public ModelSource Source => (ModelSource)_owned[0];

    /// <summary>The number format that it computes in; null for an exact denoiser, which takes that of its images.</summary>
    public string? NumberFormat { get; }

    /// <summary>Reads a network or an ONNX file.</summary>
    /// <param name="path">A checkpoint in any accepted form, or an ONNX file.</param>
    /// <param name="request">Number format, guidance, and what the file leaves open.</param>
    /// <exception cref="InvalidInputException">There is nothing, nothing that is accepted, a damaged file, or guidance that does not fit.</exception>
    public static SampledModel Open(string path, ModelRequest request) => Guided(OpenPlain(path, request), request);

    /// <summary>Reads a network, whose weights can be tuned.</summary>
    /// <param name="path">A checkpoint in any accepted form.</param>
    /// <param name="request">Number format, guidance, and what the checkpoint leaves open.</param>
    /// <exception cref="InvalidInputException">There is nothing, nothing that is accepted, a damaged file, or guidance that does not fit.</exception>
    public static SampledModel OpenNetwork(string path, ModelRequest request) => Guided(OpenSource(path, request), request);

    /// <summary>Reads a network, an ONNX file or a mixture.</summary>
    /// <param name="path">A checkpoint in any accepted form, an ONNX file, or a mixture's JSON file.</param>
    /// <param name="schedule">The schedule as it was given: a mixture, which knows no limits, covers the levels of a file; null where none was.</param>
    /// <param name="request">Number format, guidance, and what the file leaves open.</param>
    /// <exception cref="InvalidInputException">There is nothing, nothing that is accepted, a damaged file, or guidance that does not fit.</exception>
    public static SampledModel OpenAny(string path, string? schedule, ModelRequest request) =>
        Guided(File.Exists(path) && path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? OpenMixture(path, schedule, request) : OpenPlain(path, request), request);

    /// <inheritdoc/>
    public void Dispose() => _owned.ForEach(o => o.Dispose());

    private static SampledModel OpenPlain(string path, ModelRequest request) => OnnxModel.IsFile(path) ? OpenOnnx(path, request) : OpenSource(path, request);

    private static SampledModel OpenSource(string path, ModelRequest request)
    {
        RefuseOnnxOptions(path, request);
        var source = ModelSource.Open(path, request.Checkpoint, request.Device.Resolve());
        source.Denoiser.ComputeType = request.Type;
        return new SampledModel(path, source.Denoiser, source.Config, RunFacts.Of(source), CommandLineManifest.NumberFormat(request.Type), source);
    }

    private static SampledModel OpenOnnx(string path, ModelRequest request)
    {
        RefuseNetworkOptions(path, request, "an ONNX file");
        var model = OnnxModel.Open(path, request.Onnx, request.Threads);
        var denoiser = model.Denoiser;
        var config = new ModelConfig
        {
            Name = model.Name,
            Shape = denoiser.Shape,
            Classes = denoiser.Classes,
            ClassNames = model.Description.ClassNames,
            Preconditioning = new PreconditioningConfig { Kind = model.Preconditioning, SigmaMin = denoiser.SigmaMin, SigmaMax = denoiser.SigmaMax },
        };
        var summary = new ModelSummary { Name = config.Name, Hash = model.Hash, Preconditioning = model.Preconditioning, Shape = config.Shape, Classes = config.Classes };
        return new SampledModel(path, denoiser, config, summary, "onnx", model);
    }

    private static SampledModel OpenMixture(string path, string? schedule, ModelRequest request)
    {
        RefuseNetworkOptions(path, request, "the file of a mixture");
        RefuseOnnxOptions(path, request);
        var mixture = MixtureFile.Read(path);
        var (low, high) = (UsualMinimum, UsualMaximum);
        if (schedule is not null && ScheduleArgument.IsFile(schedule))
        {
            var sigmas = ScheduleFile.Read(schedule).Schedule.Sigmas;
            (low, high) = (Math.Min(low, sigmas[^1]), Math.Max(high, sigmas[0]));
        }

        var denoiser = new GaussianMixtureDenoiser(mixture, low, high);
        var config = new ModelConfig
        {
            Name = System.IO.Path.GetFileNameWithoutExtension(path),
            Shape = mixture.Shape,
            Classes = mixture.Classes,
            Preconditioning = new PreconditioningConfig { Kind = MixtureFile.Kind, SigmaMin = low, SigmaMax = high },
        };
        var summary = new ModelSummary
        {
            Name = config.Name,
            Hash = Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))),
            Preconditioning = MixtureFile.Kind,
            Shape = mixture.Shape,
            Classes = mixture.Classes,
        };
        return new SampledModel(path, denoiser, config, summary, null, denoiser);
    }

    private static void RefuseNetworkOptions(string path, ModelRequest request, string kind)
    {
        if (request.Checkpoint != new ModelReadOptions())
        {
            throw new InvalidInputException($"{path} is {kind}; options that begin with --model- are for checkpoints. Leave them out.");
        }

        if (request.Device.DemandsCuda)
        {
            throw new InvalidInputException($"{path} is {kind}, which is computed on the processor; leave --device {request.Device} out, or give the checkpoint.");
        }
    }

    private static void RefuseOnnxOptions(string path, ModelRequest request)
    {
        if (request.Onnx != new OnnxModelDescription())
        {
            throw new InvalidInputException($"{path} is no ONNX file; options that begin with --onnx- are for those. Leave them out.");
        }
    }

    private static SampledModel Guided(SampledModel model, ModelRequest request)
    {
        if (request.Guidance is not { } guidance)
        {
            return model;
        }

        try
        {
            if (request.Guide is string path)
            {
                // What only the processor computes hands its guide the processor's tensors.
                var device = model.Denoiser.Device.type == TorchSharp.DeviceType.CUDA ? request.Device : DeviceChoice.Cpu;
                var guide = OpenPlain(path, request with { Onnx = new OnnxModelDescription(), Checkpoint = new ModelReadOptions(), Device = device });
                model._owned.Add(guide);
                return model.With(GuidedDenoiser.Auto(model.Denoiser, guide.Denoiser, guidance), $"guided by {guide.Config.Name}, {guidance}", $"{guidance}\n{guide.Hash}");
            }

            model.CheckKnowsNoClass();
            return model.With(GuidedDenoiser.ClassifierFree(model.Denoiser, guidance), $"classifier-free, {guidance}", $"{guidance}");
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private SampledModel With(GuidedDenoiser denoiser, string guidance, string identity)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{Hash}\nunder guidance\n{identity}")));
        var guided = new SampledModel(Path, denoiser, Config, Summary with { Hash = hash, Guidance = guidance }, NumberFormat, _owned[0]);
        guided._owned.AddRange(_owned.Skip(1));
        return guided;
    }

    // Without label dropout in its training a network was never shown "no class", and its answer to it means nothing.
    private void CheckKnowsNoClass()
    {
        bool knows = _owned[0] switch
        {
            ModelSource => Config.Network.LabelDropout > 0,
            OnnxModel onnx => onnx.Denoiser.KnowsNoClass,
            _ => true,
        };
        if (Config.Classes > 0 && !knows)
        {
            throw new InvalidInputException($"{Path} was trained without label dropout, so it knows no \"no class\" for classifier-free guidance; give --guide with a weaker model.");
        }
    }
}
