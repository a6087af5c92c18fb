using FewStep.Networks;

namespace FewStep.Checkpoints;

/// <summary>How far a model's outputs are from those of another implementation.</summary>
/// <param name="Remark">What was computed as the other implementation rounds it; null for nothing.</param>
internal sealed record VerificationResult(
    string Compared, int Images, double LargestRelativeError, int WorstImage, string? Remark = null);

/// <summary>Evaluates a model on inputs that another implementation stored together with its outputs.</summary>
internal static class ModelVerification
{
    private const int Batch = 8;
    private const string Input = "x", Sigma = "sigma", Labels = "labels", Denoised = "denoised", TimeSteps = "timesteps", Output = "output";

    /// <param name="path">npz file with <c>x</c> [B,C,H,W], optionally <c>labels</c> (int [B], or one-hot [B,K]), and <c>sigma</c> [B] with
    /// <c>denoised</c>, or <c>timesteps</c> [B] with <c>output</c>, what the raw network makes of x.</param>
    public static IReadOnlyList<VerificationResult> Run(IDenoiser denoiser, string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        var names = NpzFile.Names(path);
        var arrays = NpzFile.Read(
            path, [.. names.Where(name => name is Input or Sigma or Labels or Denoised or TimeSteps or Output)]);
        bool denoised = arrays.ContainsKey(Sigma) && arrays.ContainsKey(Denoised);
        bool output = arrays.ContainsKey(TimeSteps) && arrays.ContainsKey(Output);
        if (!arrays.TryGetValue(Input, out NpyArray? x) || (!denoised && !output))
        {
            throw new InvalidInputException($"{path} needs the array x, and sigma with denoised or timesteps with output; it holds "
                + $"{string.Join(", ", names.Take(8).Select(Printable.Text))}.");
        }

        if (x.Shape.Length != 4 || x.Shape[0] < 1 || !x.Shape.AsSpan()[1..].SequenceEqual(denoiser.Shape.Batch(1).AsSpan(1)))
        {
            throw new InvalidInputException($"{path}: x has shape [{string.Join(',', x.Shape)}]; the model takes "
                + $"[B,{string.Join(',', denoiser.Shape.Batch(1)[1..])}].");
        }

        using var scope = NewDisposeScope();
        Tensor? labels = arrays.TryGetValue(Labels, out NpyArray? given) ? ReadLabels(given, x.Shape[0], denoiser.Classes, path) : null;
        var results = new List<VerificationResult>();
        if (denoised)
            results.Add(Closest(Against(Denoised, Sigma, denoiser.Denoise), denoiser, rounded => Against(Denoised, Sigma, rounded)));
        if (output)
        {
            results.Add(Against(Output, TimeSteps, (denoiser as IRawNetwork ?? throw new InvalidInputException(
                $"{path} holds outputs of a network, and this model is none; store sigma and denoised.")).Raw));
        }

        return results;

        VerificationResult Against(string name, string noise, Func<Tensor, Tensor, Tensor?, Tensor> evaluate)
        {
            Tensor inputs = Floats(x, Input, path), levels = Row(arrays[noise], noise, x, path);
            return Compare(name, arrays[name], x.Shape[0], Make, path, cancellation);

            Tensor Make(long start, long count)
            {
                Tensor Part(Tensor all) => all.narrow(0, start, count).to(denoiser.Device);
                return evaluate(Part(inputs), Part(levels), labels is null ? null : Part(labels));
            }
        }
    }

    /// <summary>Options with the side of the reference's images, where the checkpoint is one that cannot say its own.</summary>
    public static ModelReadOptions WithSide(ModelReadOptions options, string model, string path)
    {
        bool cannotSay = options.Resolution is null && CheckpointFormats.KindOf(model) == WeightsFileKind.TorchState
            && !DiffusersFolder.IsOne(model);
        return cannotSay && NpzFile.Names(path).Contains(Input)
            && NpzFile.Shape(path, Input) is [_, _, > 0 and <= 4096 and var side, var width] && side == width
            ? options with { Resolution = (int)side } : options;
    }

    // A right model must not be called different for what the other implementation's float32 makes of its noise labels.
    private static VerificationResult Closest(
        VerificationResult exact, IDenoiser denoiser, Func<Func<Tensor, Tensor, Tensor?, Tensor>, VerificationResult> against)
    {
        if (denoiser is not NetworkDenoiser { Preconditioning: VpPreconditioning vp } network)
            return exact;
        var rounded = against((x, sigma, labels) =>
        {
            using var scope = NewDisposeScope();
            var c = vp.Coefficients(sigma);
            var raw = network.Raw(x * Column(c.In), vp.RoundedLabels(sigma), labels).narrow(1, 0, network.Shape.Channels);
            return addcmul(x * Column(c.Skip), raw, Column(c.Out), TensorArithmetic.One).MoveToOuterDisposeScope();
        });
        return rounded.LargestRelativeError >= exact.LargestRelativeError ? exact : rounded with
        {
            Remark = InvariantText.Of($"The noise labels are those that NVlabs/edm's float32 gives; exact ones differ by "
                + $"{exact.LargestRelativeError:G3}."),
        };
    }

    private static Tensor Column(Tensor c) => c.view(-1, 1, 1, 1);

    /// <summary>Compares images that are made here, some at a time, with those that are stored.</summary>
    /// <param name="make">Makes the images from a number on, so many.</param>
    internal static VerificationResult Compare(
        string name, NpyArray expected, long images, Func<long, long, Tensor> make, string path, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var outputs = Floats(expected, name, path).to(ScalarType.Float64);
        double largest = -1;
        int worst = 0;
        for (long start = 0; start < images; start += Batch)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            long count = Math.Min(Batch, images - start);
            Tensor actual = make(start, count).to(ScalarType.Float64, CPU);
            if (start == 0 && !(outputs.shape.Length == 4 && outputs.shape[0] == images
                && outputs.shape.AsSpan(1).SequenceEqual(actual.shape.AsSpan(1))))
            {
                throw new InvalidInputException($"{path}: {name} has shape [{string.Join(',', outputs.shape)}]; the model makes "
                    + $"[{images},{string.Join(',', actual.shape[1..])}].");
            }

            Tensor theirs = outputs.narrow(0, start, count);
            double[] differences = Largest(actual - theirs), sizes = Largest(theirs);
            for (int i = 0; i < count; i++)
            {
                double error = differences[i] == 0 ? 0 : differences[i] / sizes[i];
                error = double.IsNaN(error) ? double.PositiveInfinity : error;
                (largest, worst) = error > largest ? (error, (int)start + i) : (largest, worst);
            }
        }

        return new VerificationResult(name, (int)images, largest, worst);
    }

    private static double[] Largest(Tensor images) => images.abs().flatten(1).amax(1).data<double>().ToArray();

    internal static Tensor Floats(NpyArray array, string name, string path)
    {
        var values = array.Values switch
        {
            double[] => array.ToTensor(),
            float[] or Half[] => array.ToTensor().to(ScalarType.Float32),
            _ => throw new InvalidInputException($"{path}: {name} holds no floating-point numbers. Convert it with astype."),
        };
        return values.isfinite().all().item<bool>() ? values
            : throw new InvalidInputException($"{path}: {name} holds NaN or infinity, with which nothing can be compared.");
    }

    // One number an image, whatever axes of one are around it.
    private static Tensor Row(NpyArray array, string name, NpyArray x, string path)
    {
        long images = x.Shape[0];
        double[] values = array.ToDoubles();
        if (values.LongLength != images && values.Length != 1)
            throw new InvalidInputException($"{path}: {name} has {values.Length} numbers for {images} images.");
        if (!Array.TrueForAll(values, v => double.IsFinite(v) && (name != Sigma || v > 0)))
            throw new InvalidInputException($"{path}: {name} must hold finite numbers{(name == Sigma ? " above 0" : "")}.");
        bool wide = x.Values is double[];
        return tensor(values).expand(images).to(wide ? ScalarType.Float64 : ScalarType.Float32);
    }

    internal static Tensor ReadLabels(NpyArray array, long images, int classes, string path)
    {
        double[] values = array.ToDoubles();
        ImmutableArray<long> shape = array.Shape;
        long[] labels;
        if (shape.Length == 1 && shape[0] == images && Array.TrueForAll(values, v => v == Math.Floor(v) && v >= -1 && v < classes))
        {
            labels = Array.ConvertAll(values, v => (long)v);
        }
        else if (classes > 0 && shape.Length == 2 && shape[0] == images && shape[1] == classes
            && Array.TrueForAll(values, v => v is 0 or 1))
        {
            labels = [.. values.Chunk(classes).Select(row => (long)Array.IndexOf(row, 1.0))];
        }
        else
        {
            throw new InvalidInputException($"{path}: labels of shape [{string.Join(',', shape)}] are neither indices below {classes} for "
                + $"{images} images nor one-hot rows of {classes} numbers.");
        }

        return tensor(labels);
    }
}
