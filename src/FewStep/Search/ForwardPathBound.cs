using FewStep.Sampling;
using FewStep.Solvers;
using TorchSharp;

namespace FewStep.Search;

/// <summary>Align Your Steps' upper bound of the KL divergence between sampler and model: the sum over steps of the integral from s_(i+1)
/// to s_i of E|D(x_s; s) - D(x_(s_i); s_i)|^2 ds / s^3, per image value, where x_s and x_(s_i) lie on one path of forward noise.</summary>
/// <remarks>
/// Each image's path is walked once over a grid of noise levels, one evaluation a level, which gives the difference for every pair of
/// levels: all steps of all schedules share images and noise, and nothing is evaluated again. Between grid points the difference is taken
/// as linear in s^2, as it is for small s, and the integral is exact for that.
/// </remarks>
internal sealed class ForwardPathBound
{
    private const long NoiseStream = 3;
    private const long OrderSeed = 0;
    private readonly double[] _sigmas;
    private readonly List<float[]> _images = []; // |D_i - D_j|^2 / dimension, row by row

    private ForwardPathBound(double[] sigmas) => _sigmas = sigmas;

    /// <summary>The mean bound of one step from grid point i to j above i: [i][j].</summary>
    public double[][] Steps { get; private set; } = [];

    public static ForwardPathBound Measure(
        PairedSampling paired, ScheduleSearchContext context, AysOptions options, ScheduleSearchRequest request, double[] sigmas,
        IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        var bound = new ForwardPathBound(sigmas);
        var (images, labels) = Images(paired, context, options, request, scope, cancellation);
        int count = (int)images.shape[0];
        for (int image = 0; image < count; image++)
        {
            using var step = NewDisposeScope();
            bound.Add(paired.Denoiser, images[image], labels?[image], SeedHash.Derive(context.FirstSeed, NoiseStream, image),
                context.BatchSize, cancellation);
            progress?.Report(new WorkProgress("forward paths", image + 1, count, "img"));
        }

        bound.Steps = [.. Enumerable.Range(0, sigmas.Length).Select(i => bound.Row(i, bound.MeanRow(i)))];
        return bound;
    }

    /// <summary>Each image's bound of a whole schedule.</summary>
    public double[] PerImage(int[] path)
    {
        int points = _sigmas.Length;
        return [.. _images.Select(table => Enumerable.Range(0, path.Length - 1)
            .Sum(k => Row(path[k], Array.ConvertAll(table[(path[k] * points)..((path[k] + 1) * points)], v => (double)v))[path[k + 1]]))];
    }

    private static (Tensor Images, Tensor? Labels) Images(
        PairedSampling paired, ScheduleSearchContext context, AysOptions options, ScheduleSearchRequest request, DisposeScope scope,
        CancellationToken cancellation)
    {
        if (context.TrainingImages is not { } open)
        {
            // The model's own samples stand for images.
            var seeds = SeedList.Of(options.Images, context.FirstSeed + options.JudgeLatents);
            var fine = StandardSchedule.Karras().Create(options.TeacherSteps, request.SigmaMin, request.SigmaMax, ScheduleTerminal.Zero);
            return (paired.Endpoints(new HeunSolver(), fine, seeds, cancellation),
                SeedLabels.For(seeds, paired.Denoiser.Classes, device: paired.Denoiser.Device));
        }

        var source = open();
        if (source.Shape != paired.Denoiser.Shape)
        {
            throw new InvalidInputException(
                $"The images are {source.Shape} but the model denoises {paired.Denoiser.Shape}: choose the images that it was trained on.");
        }

        if (source.Count < 2)
            throw new InvalidInputException($"Align Your Steps needs at least 2 images; there are {source.Count}.");
        var (images, labels) = source.Read(new RandomOrder(source.Count, OrderSeed).Take((int)Math.Min(options.Images, source.Count)));
        // A source may have made its tensors on another thread, outside every scope of this one.
        scope.Attach(images);
        if (labels is not null)
            scope.Attach(labels);
        return (HostCopy.To(images, paired.Denoiser.Device), labels is null ? null : HostCopy.To(labels, paired.Denoiser.Device));
    }

    private void Add(IDenoiser denoiser, Tensor image, Tensor? label, long seed, int batchSize, CancellationToken cancellation)
    {
        int points = _sigmas.Length;
        using var generator = new Generator((ulong)seed);
        var n = HostCopy.To(randn(denoiser.Shape.Batch(points), dtype: float32, generator: generator), image.device);
        double[] rising = [.. _sigmas.Reverse()];
        double[] growth = [.. rising.Select((s, k) => Math.Sqrt((s * s) - (k == 0 ? 0 : rising[k - 1] * rising[k - 1])))];
        // Forward noise is a random walk whose variance is s^2: neighbours share all noise but the last increment.
        var walk = (n.to(float64) * tensor(growth, device: n.device).view(-1, 1, 1, 1)).cumsum(0).flip(0);
        var x = image.to(float64).unsqueeze(0).Plus(walk).to(float32);
        var sigma = tensor(_sigmas.Select(s => (float)s).ToArray(), device: x.device);
        var outputs = new List<Tensor>();
        for (int start = 0; start < points; start += batchSize)
        {
            cancellation.ThrowIfCancellationRequested();
            int stop = Math.Min(start + batchSize, points);
            outputs.Add(denoiser.Denoise(x.slice(0, start, stop, 1), sigma.slice(0, start, stop, 1), label?.expand(stop - start)));
        }

        var D = cat(outputs).flatten(1).to(float64);
        var squares = cdist(D, D, 2, compute_mode.donot_use_mm_for_euclid_dist).Squared().Over(denoiser.Shape.Dimension);
        _images.Add(squares.to(float32).cpu().contiguous().data<float>().ToArray());
    }

    private double[] MeanRow(int i)
    {
        int points = _sigmas.Length;
        var mean = new double[points];
        foreach (float[] table in _images)
        {
            for (int j = 0; j < points; j++)
                mean[j] += table[(i * points) + j];
        }

        return Array.ConvertAll(mean, sum => sum / _images.Count);
    }

    // Integrals from every later grid point to point i, given the differences from point i.
    private double[] Row(int i, double[] differences)
    {
        var row = new double[_sigmas.Length];
        for (int k = i; k + 1 < _sigmas.Length; k++)
        {
            // With v = s^2, ds / s^3 = dv / (2 v^2); on the cell the difference is a + b v.
            double v = _sigmas[k] * _sigmas[k], w = _sigmas[k + 1] * _sigmas[k + 1];
            double b = (differences[k] - differences[k + 1]) / (v - w), a = differences[k] - (b * v);
            row[k + 1] = row[k] + (0.5 * ((a * ((1 / w) - (1 / v))) + (b * Math.Log(v / w))));
        }

        return row;
    }
}
