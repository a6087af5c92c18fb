using FewStep.Denoising;
using FewStep.Sampling;
using TensorElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace FewStep.Onnx;

/// <summary>A whole sampler in an ONNX file: latents, and labels where there are classes, to images. Dispose it.</summary>
internal sealed class OnnxSampler : IBatchSource, IDisposable
{
    private const string LatentsName = "latents", LabelsName = "labels", ImagesName = "images";
    private readonly string _path;
    private readonly OnnxSession _session;

    private OnnxSampler(string path, OnnxSession session, OnnxMetadata metadata)
    {
        (_path, _session, Metadata) = (path, session, metadata);
        string[] wanted = metadata.Classes > 0 ? [LatentsName, LabelsName] : [LatentsName];
        bool agrees = wanted.ToHashSet().SetEquals(session.Inputs.Keys) && session.Outputs.ContainsKey(ImagesName)
            && session.Inputs[LatentsName] is { IsTensor: true, ElementDataType: TensorElementType.Float, Dimensions: [_, var c, var h, var w] }
            && (c, h, w) == (Shape.Channels, Shape.Height, Shape.Width);
        if (!agrees)
        {
            session.Dispose();
            throw new InvalidInputException($"{path} does not take what its properties say; export the sampler again.");
        }
    }

    public OnnxMetadata Metadata { get; }
    public ImageShape Shape => Metadata.Shape;
    public int Classes => Metadata.Classes;
    public Device Device => CPU;

    /// <summary>Opens a file that <see cref="OnnxExport"/> wrote.</summary>
    /// <param name="metadata">What <see cref="OnnxMetadata.Of"/> read from it.</param>
    /// <param name="threads">Threads of ONNX Runtime; 0 for as many as libtorch has.</param>
    public static OnnxSampler Open(string path, OnnxMetadata metadata, int threads)
    {
        OnnxFileScan.ExternalFiles(path);
        return new OnnxSampler(path, new OnnxSession(path, threads > 0 ? threads : get_num_threads()), metadata);
    }

    /// <summary>A sampler that has no file yet.</summary>
    public static OnnxSampler Of(string path, byte[] content, OnnxMetadata metadata)
        => new(path, new OnnxSession(path, get_num_threads(), content), metadata);

    /// <inheritdoc/>
    public SamplingResult Sample(Tensor latents, IReadOnlyList<long> seeds, Tensor? labels, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var images = Sample(latents, labels);
        return new SamplingResult(images, latents.shape[0] * Metadata.Evaluations, Metadata.Evaluations);
    }

    /// <summary>Images from latents.</summary>
    /// <param name="latents">Unit noise [B,C,H,W].</param>
    /// <param name="labels">int64 [B], -1 for "no class"; null stands for -1 everywhere.</param>
    /// <returns>[B,C,H,W] of the latents' type; the caller owns it.</returns>
    public Tensor Sample(Tensor latents, Tensor? labels)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        List<(string, Tensor, TensorElementType, long[])> inputs =
            [(LatentsName, latents.to(ScalarType.Float32).contiguous(), TensorElementType.Float, latents.shape)];
        if (Classes > 0)
            inputs.Add((LabelsName, Labels(labels, latents.shape[0]), TensorElementType.Int64, [latents.shape[0]]));
        var images = _session.Run(inputs, ImagesName);
        return images.shape.AsSpan().SequenceEqual(latents.shape) ? images.to(latents.dtype).MoveToOuterDisposeScope()
            : throw new InvalidInputException($"{_path} gives [{string.Join(",", images.shape)}] for {latents.shape[0]} images of {Shape}.");
    }

    public void Dispose() => _session.Dispose();

    // "No class" is the label behind the last.
    private Tensor Labels(Tensor? labels, long batch)
    {
        var indices = labels ?? full(batch, TensorArithmetic.MinusOne, dtype: int64);
        var none = indices < TensorArithmetic.Zero;
        if (!Metadata.KnowsNoClass && none.any().item<bool>())
            throw new InvalidInputException($"{_path} knows no label for \"no class\"; give every image a class.");
        using var label = TensorArithmetic.Number(Classes);
        return indices.masked_fill(none, label).contiguous();
    }
}
