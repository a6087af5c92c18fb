using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Models;
using FewStep.Sampling;
using TensorElementType = Microsoft.ML.OnnxRuntime.Tensors.TensorElementType;

namespace FewStep.Onnx;

/// <summary>A whole sampler in an ONNX file: latents, and labels where there are classes, to images. Dispose it.</summary>
internal sealed class OnnxSampler : IBatchSource, IDisposable
{
    private const string Kind = "sampler";
    private const string LatentsName = "latents", LabelsName = "labels", ImagesName = "images";
    private readonly string _path;
    private readonly OnnxSession _session;

    private OnnxSampler(string path, OnnxSession session, OnnxMetadata metadata)
    {
        (_path, _session, Metadata) = (path, session, metadata);
        try
        {
            Sampler = SamplerOf(path, metadata);
            Check();
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    public OnnxMetadata Metadata { get; }
    public ImageShape Shape => Metadata.Shape;
    public int Classes => Metadata.Classes;
    public Device Device => CPU;

    /// <summary>The steps that the file holds, as its sampler's file says them.</summary>
    public Sampler Sampler { get; }

    /// <summary>Shape, classes and names; of anything but a network nothing else in it means anything.</summary>
    public ModelConfig Config => new()
    {
        Name = Metadata.Model,
        Shape = Shape,
        Classes = Classes,
        ClassNames = Metadata.ClassNames,
        Preconditioning = new() { Kind = Kind, SigmaMin = Metadata.SigmaMin, SigmaMax = Metadata.SigmaMax },
    };

    public ModelSummary Summary => new()
    {
        Name = Metadata.Model,
        Hash = Sha256.OfFile(_path),
        Preconditioning = Kind,
        Shape = Shape,
        Classes = Classes,
        Guidance = Metadata.Guidance == 1 ? null : InvariantText.Of($"weight {Metadata.Guidance:R}"),
    };

    /// <summary>Opens a file that <see cref="OnnxExport"/> wrote; null for a path of anything else.</summary>
    /// <param name="threads">Threads of ONNX Runtime; 0 for as many as libtorch has.</param>
    public static OnnxSampler? TryOpen(string path, int threads = 0)
    {
        if (!path.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) || !File.Exists(path)
            || OnnxMetadata.Of(path) is not { Kind: OnnxKind.Sampler } metadata)
        {
            return null;
        }

        OnnxFileScan.ExternalFiles(path);
        return new OnnxSampler(path, new OnnxSession(path, threads), metadata);
    }

    /// <summary>A sampler that has no file yet.</summary>
    public static OnnxSampler Of(string path, byte[] content, OnnxMetadata metadata)
        => new(path, new OnnxSession(path, 0, content), metadata);

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
            : throw new InvalidInputException(
                $"{_path} gives [{string.Join(",", images.shape)}] for {latents.shape[0]} images of {Shape}.");
    }

    public void Dispose() => _session.Dispose();

    private void Check()
    {
        string[] wanted = Classes > 0 ? [LatentsName, LabelsName] : [LatentsName];
        bool agrees = wanted.ToHashSet().SetEquals(_session.Inputs.Keys) && _session.Outputs.ContainsKey(ImagesName)
            && _session.Inputs[LatentsName] is
            { IsTensor: true, ElementDataType: TensorElementType.Float, Dimensions: [_, var channels, var height, var width] }
            && (channels, height, width) == (Shape.Channels, Shape.Height, Shape.Width) && Shape.Dimension <= OnnxSignature.LargestCall;
        if (!agrees)
            throw new InvalidInputException($"{_path} does not take what its properties say; export the sampler again.");
    }

    private static Sampler SamplerOf(string path, OnnxMetadata metadata)
    {
        var file = SamplerFile.Parse(metadata.Sampler!, $"{path}, property fewstep.sampler");
        if (file.Schedule.Steps != metadata.Steps || metadata.Evaluations < metadata.Steps)
        {
            throw new InvalidInputException(InvariantText.Of(
                $"{path} contradicts itself: its sampler has {file.Schedule.Steps} steps, its properties say {metadata.Steps} and "
                    + $"{metadata.Evaluations} evaluations; export the sampler again."));
        }

        return new Sampler(file.Schedule, file.Solver ?? throw new InvalidInputException($"{path}: its sampler names no solver."))
        { Origin = file.Origin };
    }

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
