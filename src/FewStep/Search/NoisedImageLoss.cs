using TorchSharp;

namespace FewStep.Search;

/// <summary>Each image's training loss at many noise levels: |D(x0 + s n; s) - x0|^2 / dimension, averaged over the noise n and -n, with
/// one n for all levels.</summary>
internal sealed class NoisedImageLoss(IDenoiser denoiser, long seed, MeanImageLoss mean)
{
    private const long NoiseStream = 2; // the order of the images has the first

    public double[][] Measure(ITrainingImages source, long[] indices, double[] sigmas, CancellationToken cancellation)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        var (x0, labels) = Read(source, indices, scope);
        mean.Add(x0);
        var n = HostCopy.To(Noise(indices), x0.device);
        var clean = cat([x0, x0]);
        var noise = cat([n, -n]);
        var bothLabels = labels is null ? null : cat([labels, labels]);
        var means = new List<Tensor>();
        for (int k = 0; k < sigmas.Length; k++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            double s = sigmas[k];
            var D = denoiser.Denoise(clean.Plus(noise.Times(s)), TensorArithmetic.Full([1], s, float32, clean.device), bothLabels);
            // Sums in double precision: the result must not depend on how many images share a batch.
            var squares = (D - clean).to(float64).Squared().mean([1, 2, 3]);
            means.Add(squares.view(2, -1).mean([0]).MoveToOuterDisposeScope());
        }

        // One reading for all levels: each would wait for a GPU.
        double[] all = stack(means, 1).cpu().data<double>().ToArray();
        int bad = Array.FindIndex(all, loss => !double.IsFinite(loss));
        return bad < 0
            ? [.. indices.Select((_, image) => all[(image * sigmas.Length)..((image + 1) * sigmas.Length)])]
            : throw new InvalidInputException(
                $"The model's loss on image {indices[bad / sigmas.Length]} at sigma {sigmas[bad % sigmas.Length]:G6} is {all[bad]}: check "
                    + $"that checkpoint and preconditioning belong together.");
    }

    private (Tensor Images, Tensor? Labels) Read(ITrainingImages source, long[] indices, DisposeScope scope)
    {
        var (x0, labels) = source.Read(indices);
        // A source may have made its tensors on another thread, outside every scope of this one.
        scope.Attach(x0);
        if (labels is not null)
            scope.Attach(labels);
        if (x0.dtype != ScalarType.Float32 || !x0.shape.AsSpan().SequenceEqual(denoiser.Shape.Batch(indices.Length)))
        {
            throw new ArgumentException($"The source returned {x0.dtype} [{string.Join(", ", x0.shape)}] for {indices.Length} float32 "
                + $"images of {denoiser.Shape}.", nameof(source));
        }

        if (labels is not null && (labels.dtype != ScalarType.Int64 || labels.dim() != 1 || labels.shape[0] != indices.Length))
        {
            throw new ArgumentException($"The source returned labels {labels.dtype} [{string.Join(", ", labels.shape)}] for "
                + $"{indices.Length} images; they must be int64 [B].", nameof(source));
        }

        return (HostCopy.To(x0, denoiser.Device), labels is null ? null : HostCopy.To(labels, denoiser.Device));
    }

    private Tensor Noise(long[] indices)
    {
        long[] shape = denoiser.Shape.Batch(1);
        return cat([.. indices.Select(index =>
        {
            using var generator = new Generator((ulong)SeedHash.Derive(seed, NoiseStream, index));
            return randn(shape, dtype: float32, generator: generator);
        })]);
    }
}
