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
    public ModelConfig Config => Model?.Config ?? _graph!.Config;
    public ModelSummary Summary => Model?.Summary ?? _graph!.Summary;
    public string? NumberFormat => Model is null ? OnnxFormat : Model.NumberFormat;
    public torch.Device Device => Model?.Denoiser.Device ?? _graph!.Device;

    public static SampleSource Of(Model model) => new(model);

    /// <summary>Opens the sampler in a file of ONNX; null for anything else.</summary>
    public static SampleSource? OfSampler(string path, int threads)
        => OnnxSampler.TryOpen(path, threads) is { } graph ? new(graph, graph.Sampler) : null;

    public BatchSampler Batches(Sampler sampler, SampleOptions options)
        => Model?.Batches(sampler, options) ?? new BatchSampler(_graph!, options);

    public void Dispose()
    {
        Model?.Dispose();
        _graph?.Dispose();
    }
}
