using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>How far a sampler's images end from a teacher's that start at the same latents: the endpoint error of a few-step sampler, averaged over images.</summary>
/// <remarks>It needs no reference images and no features, and its noise is far below that of a Fréchet distance because each image is compared with its own partner.</remarks>
public sealed class PairedDistance
{
    private double _squaredDeviations;

    /// <summary>Number of pairs added so far.</summary>
    public long Images { get; private set; }

    /// <summary>Mean over images of the Euclidean distance |x - x_teacher|, in the units of the pixels ([-1,1]).</summary>
    public double MeanL2 { get; private set; }

    /// <summary>Mean over images of the root-mean-square difference of a pixel value: <see cref="MeanL2"/> over the root of the image's dimension, comparable across image sizes.</summary>
    public double MeanRootMeanSquare => Images > 0 ? MeanL2 / Math.Sqrt(Dimension) : 0;

    /// <summary>Standard error of <see cref="MeanL2"/>; null for fewer than two images.</summary>
    public double? StandardErrorL2 => Images > 1 ? Math.Sqrt(_squaredDeviations / (Images - 1) / Images) : null;

    private long Dimension { get; set; }

    /// <summary>Adds a batch of pairs.</summary>
    /// <param name="samples">Images [B,C,H,W], any floating type; not changed and not disposed.</param>
    /// <param name="teacher">The teacher's images of the same latents, in the same order and shape; not changed and not disposed.</param>
    /// <exception cref="ArgumentException">The shapes differ from each other or from earlier batches.</exception>
    /// <exception cref="InvalidInputException">A distance is not finite.</exception>
    public void Add(Tensor samples, Tensor teacher)
    {
        if (samples.dim() != 4 || !samples.shape.AsSpan().SequenceEqual(teacher.shape))
        {
            throw new ArgumentException($"Paired images must have one shape [B,C,H,W], not [{string.Join(",", samples.shape)}] and [{string.Join(",", teacher.shape)}].", nameof(teacher));
        }

        long dimension = samples.shape[1] * samples.shape[2] * samples.shape[3];
        if (Images > 0 && dimension != Dimension)
        {
            throw new ArgumentException($"Images of {dimension} values follow images of {Dimension}.", nameof(samples));
        }

        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var difference = samples.to_type(ScalarType.Float64) - teacher.to(ScalarType.Float64, samples.device);
        var distances = difference.Squared().sum([1, 2, 3]).sqrt().cpu().data<double>().ToArray();
        if (!distances.All(double.IsFinite))
        {
            throw new InvalidInputException("A sample or its teacher's image holds NaN or infinity: the model diverged; check its noise levels and schedule.");
        }

        Dimension = dimension;
        foreach (double distance in distances)
        {
            Images++;
            double delta = distance - MeanL2; // Welford's update
            MeanL2 += delta / Images;
            _squaredDeviations += delta * (distance - MeanL2);
        }
    }
}
