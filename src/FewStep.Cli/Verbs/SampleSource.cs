using FewStep.Onnx;
using TorchSharp;

namespace FewStep.Cli.Verbs;

/// <summary>What <c>sample</c> makes images with: a model, or a file that holds a whole sampler. Dispose it.</summary>
internal sealed class SampleSource : IDisposable
{
    private const string OnnxFormat = "onnx";
    private readonly OnnxSampler? _graph;

    private SampleSource(Model model) => Model = model;
    private SampleSource(OnnxSampler graph, Sampler sampler) => (_graph, Sampler) = (graph, sampler);

    /// <summary>The model; null for a sampler.</summary>
    public Model? Model { get; }

    /// <summary>The sampler that the file holds; null for a model.</summary>
    public Sampler? Sampler { get; }

    public bool HoldsSampler => _graph is not null;
    /// <summary>Shape of what is sampled: of the images, or of the latents that they are decoded from.</summary>
    public ImageShape Sampled => Model?.Denoiser.Shape ?? _graph!.Shape;

    /// <summary>Shape of the images.</summary>
    public ImageShape Shape => Model?.Shape ?? _graph!.Shape;

    public int Classes => Model?.Classes ?? _graph!.Classes;

    /// <summary>Names of its classes, or its prompts; null where there are none.</summary>
    public IReadOnlyList<string>? LabelNames => Model is null ? _graph!.Config.ClassNames : Model.LabelNames;

    public ModelSummary Summary => Model?.Summary ?? _graph!.Summary;
    public string? NumberFormat => Model is null ? OnnxFormat : Model.NumberFormat;
    public torch.Device Device => Model?.Denoiser.Device ?? _graph!.Device;

    public static SampleSource Of(Model model) => new(model);

    /// <summary>Opens the sampler in a file of ONNX; null for anything else.</summary>
    public static SampleSource? OfSampler(string path, int threads)
        => OnnxSampler.TryOpen(path, threads) is { } graph ? new(graph, graph.Sampler) : null;

    public BatchSampler Batches(Sampler sampler, SampleOptions options)
        => Model?.Batches(sampler, options) ?? new BatchSampler(_graph!, options);

    /// <summary>The images of a batch; they belong to the current dispose scope where they were decoded.</summary>
    public torch.Tensor ImagesOf(torch.Tensor samples) => Model?.ImagesOf(samples) ?? samples;

    public void Dispose()
    {
        Model?.Dispose();
        _graph?.Dispose();
    }
}
