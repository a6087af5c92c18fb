namespace FewStep.Sampling;

/// <summary>How far a sampler's images end from a teacher's that start at the same latents, averaged over images.</summary>
/// <remarks>It needs no reference images and no features, and its noise is far below that of a Fréchet distance because each image is
/// compared with its own partner.</remarks>
internal sealed class PairedDistance
{
    private double _mean; // of the Euclidean distances
    private long _dimension;

    public long Images { get; private set; }

    /// <summary>Mean over images of the root-mean-square difference of a pixel value ([-1,1]).</summary>
    public double MeanRootMeanSquare => Images > 0 ? _mean / Math.Sqrt(_dimension) : 0;

    /// <summary>Images, mean of their distances and values of an image, float64 [3]; belongs to the current dispose scope.</summary>
    public Tensor Sums() => tensor(new double[] { Images, _mean, _dimension }, float64);

    /// <summary>Adds the images that others' sums are of.</summary>
    public void Join(Tensor sums)
    {
        double[] other = sums.data<double>().ToArray();
        long images = (long)other[0];
        if (images <= 0)
            return;
        Images += images;
        _mean += (other[1] - _mean) * images / Images;
        _dimension = (long)other[2];
    }

    /// <summary>Each image's mean-square difference of a value.</summary>
    /// <param name="differences">Images less the teacher's, [B, ...].</param>
    public static double[] MeanSquares(Tensor differences)
    {
        using var scope = NewDisposeScope();
        return differences.flatten(1).to(float64).Squared().mean([1]).cpu().data<double>().ToArray();
    }

    /// <param name="samples">Images [B,C,H,W], any floating type; not changed and not disposed.</param>
    /// <param name="teacher">The teacher's images of the same latents, in the same order and shape; not changed and not disposed.</param>
    public void Add(Tensor samples, Tensor teacher)
    {
        if (samples.dim() != 4 || !samples.shape.AsSpan().SequenceEqual(teacher.shape))
        {
            string shapes = $"[{string.Join(",", samples.shape)}] and [{string.Join(",", teacher.shape)}]";
            throw new ArgumentException($"Paired images must have one shape [B,C,H,W], not {shapes}.", nameof(teacher));
        }

        long dimension = samples.shape[1] * samples.shape[2] * samples.shape[3];
        if (Images > 0 && dimension != _dimension)
            throw new ArgumentException($"Images of {dimension} values follow images of {_dimension}.", nameof(samples));
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        var difference = samples.to_type(ScalarType.Float64) - teacher.to(ScalarType.Float64, samples.device);
        var distances = difference.Squared().sum([1, 2, 3]).sqrt().cpu().data<double>().ToArray();
        if (!distances.All(double.IsFinite))
        {
            throw new InvalidInputException(
                "A sample or its teacher's image holds NaN or infinity: the model diverged; check its noise levels and schedule.");
        }

        _dimension = dimension;
        foreach (double distance in distances)
        {
            Images++;
            _mean += (distance - _mean) / Images;
        }
    }
}
