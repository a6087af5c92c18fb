using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>The states of the best Euler students of k steps at every point of a fine Euler teacher's trajectory, for growing k.</summary>
internal sealed class StudentRecursion : IDisposable
{
    private readonly IDenoiser _denoiser;
    private readonly double[] _sigmas;
    private readonly int _batchSize;
    private readonly List<int[]> _from = [[]]; // [k][j]: where the best student of k steps at point j came from
    private readonly List<double[]> _distances = [[]]; // [k]: each latent's distance at the last point
    private readonly Tensor[] _teacher; // [M,C,H,W] a point
    private Tensor?[] _students; // null where k steps cannot lead, or nobody goes on
    private Tensor? _firstDenoised; // the teacher's own first evaluation, which the first step shares
    private readonly Tensor? _labels;

    /// <summary>Runs the teacher; students have taken no step yet.</summary>
    public StudentRecursion(
        PairedSampling paired, SamplingSchedule fine, SeedList seeds, int batchSize, IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        int points = fine.Steps + 1;
        using var scope = NewDisposeScope();
        List<Tensor>[] states = [.. Enumerable.Range(0, points).Select(_ => new List<Tensor>())];
        var first = new List<Tensor>();
        void Keep(Trajectory path)
        {
            for (int j = 0; j < points; j++)
                states[j].Add(path.States[j].alias().MoveToOuterDisposeScope());
            first.Add(path.Denoised[0].alias().MoveToOuterDisposeScope());
        }

        paired.Trajectories(new EulerSolver(), fine, seeds, Keep, progress, cancellation);
        _teacher = [.. states.Select(batches => cat(batches).DetachFromDisposeScope())];
        _firstDenoised = cat(first).DetachFromDisposeScope();
        (_denoiser, _sigmas, _batchSize) = (paired.Denoiser, [.. fine.Sigmas], batchSize);
        _labels = SeedLabels.For(seeds, _denoiser.Classes, device: _denoiser.Device)?.DetachFromDisposeScope();
        _students = new Tensor?[points];
        _students[0] = _teacher[0].alias().DetachFromDisposeScope();
    }

    /// <summary>Lets the students take one more step: M - k evaluations a latent for step k + 1 above the first.</summary>
    public void AddStep(CancellationToken cancellation)
    {
        using var inference = no_grad();
        using var scope = NewDisposeScope();
        int points = _sigmas.Length, last = points - 1, k = _from.Count;
        var next = new Tensor?[points];
        var from = new int[points];
        var best = new double[points];
        best.AsSpan().Fill(double.PositiveInfinity);
        // A student of k-1 steps stands at point k-1 at the earliest, and makes the next step from the last but one at the latest.
        for (int i = k - 1; i < last && _students[i] is { } z; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var D = i == 0 ? _firstDenoised! : Denoise(z, _sigmas[i]);
            for (int j = i + 1; j < points; j++)
            {
                using var jump = NewDisposeScope();
                var landed = D.lerp(z, _sigmas[j] / _sigmas[i]);
                double distance = (landed - _teacher[j]).Squared().mean([1, 2, 3]).to(float64).mean().item<double>();
                if (distance < best[j])
                {
                    next[j]?.Dispose();
                    (best[j], from[j], next[j]) = (distance, i, landed.DetachFromDisposeScope());
                }
            }
        }

        if (next[last] is not { } end)
        {
            throw new InvalidInputException("No student's distance to the teacher is finite: the model diverged; check that checkpoint and "
                + "preconditioning belong together.");
        }

        _from.Add(from);
        _distances.Add((end - _teacher[last]).to(float64).Squared().mean([1, 2, 3]).cpu().data<double>().ToArray());
        Dispose(_students);
        _students = next;
    }

    /// <summary>The points of the best student of k steps that ends at the last: k+1 increasing indices.</summary>
    public int[] Path(int steps)
    {
        var path = new int[steps + 1];
        path[steps] = _sigmas.Length - 1;
        for (int k = steps; k > 0; k--)
            path[k - 1] = _from[k][path[k]];
        return path;
    }

    /// <summary>Each latent's mean-square distance per image value between that student's end and the teacher's.</summary>
    public double[] Distances(int steps) => _distances[steps];

    public void Dispose()
    {
        Dispose(_students);
        Dispose(_teacher);
        _firstDenoised?.Dispose();
        _firstDenoised = null;
        _labels?.Dispose();
    }

    private static void Dispose(Tensor?[] tensors)
    {
        foreach (var tensor in tensors)
            tensor?.Dispose();
    }

    private Tensor Denoise(Tensor x, double sigma)
    {
        var outputs = new List<Tensor>();
        for (long start = 0; start < x.shape[0]; start += _batchSize)
        {
            long stop = Math.Min(start + _batchSize, x.shape[0]);
            outputs.Add(_denoiser.DenoiseAt(x.slice(0, start, stop, 1), sigma, _labels?.slice(0, start, stop, 1)));
        }

        return outputs.Count == 1 ? outputs[0] : cat(outputs);
    }
}
