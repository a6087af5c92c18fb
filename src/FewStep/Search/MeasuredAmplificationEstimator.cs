using System.Diagnostics;
using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;

namespace FewStep.Search;

/// <summary>
/// Measures the amplification A(sigma) of the model's own flow: the state of a fine path is moved at sigma along the last change of the
/// denoiser's output, which is where a first-order step errs, and both are solved to the end; A is the root-mean-square growth of their
/// distance.
/// </summary>
/// <remarks>
/// All noise levels share the latents and one fine path. Each perturbation goes both ways and half the difference of the two ends counts:
/// the solver's own error cancels, and so does the flow's curvature to second order. With M steps a latent costs M + 1 evaluations for the
/// path and 2 (M - k + 1) for each measured level k = 0, 2, 4, ...: 261 for M = 20. What the network rounds away is noise on A: bfloat16
/// adds to A below sigma = 0.02 or so.
/// </remarks>
internal sealed class MeasuredAmplificationEstimator
{
    private const string Stage = "amplification";
    private readonly CountingDenoiser _denoiser;
    private readonly MeasuredAmplificationOptions _options;
    private readonly MeasuredAmplificationSolver _solver = new();

    /// <param name="denoiser">The model; not disposed.</param>
    public MeasuredAmplificationEstimator(IDenoiser denoiser, MeasuredAmplificationOptions? options = null)
    {
        _options = options ?? new MeasuredAmplificationOptions();
        _options.Validate();
        _denoiser = new CountingDenoiser(denoiser);
    }

    /// <summary>Measures the amplification between two noise levels.</summary>
    public MeasuredAmplification Measure(
        double sigmaMax, double sigmaMin, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();
        long before = _denoiser.Images;
        var path = StandardSchedule.LogSnr().Create(_options.Steps, sigmaMin, sigmaMax);
        var grown = new double[(_options.Steps / 2) + 1];
        long[] seeds = [.. Enumerable.Range(0, _options.Latents).Select(i => _options.FirstSeed + i)];
        int done = 0;
        foreach (long[] chunk in seeds.Chunk(_options.BatchSize / 2))
        {
            AddGrowth(chunk, path, grown, cancellation);
            done += chunk.Length;
            progress?.Report(new WorkProgress(Stage, done, seeds.Length, "latents"));
        }

        // A flow of finite slope shrinks nothing to zero, but rounding can.
        double[] values = Array.ConvertAll(grown, sum => Math.Max(1e-9, Math.Sqrt(sum / seeds.Length)));
        return new MeasuredAmplification(
            [.. path.Sigmas.Where((_, i) => i % 2 == 0)], [.. values], seeds.Length, _denoiser.Images - before, watch.Elapsed.TotalSeconds);
    }

    // Adds each latent's squared growth at each measured level.
    private void AddGrowth(long[] seeds, SamplingSchedule path, double[] grown, CancellationToken cancellation)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        var latents = Latents.Draw(seeds, _denoiser.Shape, device: _denoiser.Device);
        var labels = SeedLabels.For(seeds, _denoiser.Classes, device: _denoiser.Device);
        var bothLabels = labels is null ? null : cat([labels, labels]);
        using var reference = new Trajectory();
        new SamplingLoop(_denoiser, _solver, path).Sample(latents, labels, reference.Record, cancellation);
        for (int level = 0; level < grown.Length - 1; level++)
        {
            using var step = NewDisposeScope();
            int k = 2 * level;
            double s = path.Sigmas[k];
            var state = reference.States[k];
            var move = Direction(reference, k).Times(_options.Perturbation * s);
            var rest = new SamplingSchedule(path.Sigmas.Skip(k));
            var ends = new SamplingLoop(_denoiser, _solver, rest)
                .Sample(cat([state.Plus(move), state - move]).Over(s), bothLabels, cancellationToken: cancellation).Samples.chunk(2);
            double[] lengths = Length((ends[0] - ends[1]).Over(2)).cpu().data<double>().ToArray();
            foreach (double length in lengths)
            {
                double growth = length / (_options.Perturbation * s);
                grown[level] += double.IsFinite(growth) ? growth * growth : throw NotFinite(s);
            }
        }

        grown[^1] += seeds.Length; // at the end nothing follows that could amplify
    }

    // A unit vector a latent: along the change of D over the step before node k (after it, for the first node).
    private static Tensor Direction(Trajectory reference, int k)
    {
        int last = Math.Max(k, 1);
        var D = reference.Denoised[k];
        var change = reference.Denoised[last] - reference.Denoised[last - 1];
        // Where D does not change at all no step errs; the noise's own direction then stands for any.
        var noise = reference.States[k] - D;
        var length = Length(change);
        var constant = length <= Length(noise).Times(1e-12);
        var direction = where(constant.view(-1, 1, 1, 1), noise, change);
        return direction / Length(direction).to(direction.dtype).view(-1, 1, 1, 1);
    }

    private static Tensor Length(Tensor images) => images.to(float64).Squared().sum([1, 2, 3]).sqrt();

    private static InvalidInputException NotFinite(double s) => new(InvariantText.Of(
        $"The amplification of the model's flow from sigma {s:G6} on is not finite: check that checkpoint and preconditioning belong "
            + $"together."));
}
