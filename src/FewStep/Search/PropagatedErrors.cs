using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>What curvature at a noise level does to the end of a trajectory: for every cell of a fine grid and each latent the error at the
/// end, per unit of the integral of (s - s_next) over the cell, that Euler steps over it leave.</summary>
/// <remarks>
/// Euler's step from a to b errs by the integral of (s - b) x''(s) from b to a, exactly, and the error is then carried to the end by the
/// flow. Both are measured: a cell's own Euler error on a fine trajectory, and how the flow carries it, as the difference of the denoiser's
/// outputs beside the trajectory and on it. That is linear in the error, so it is enlarged on the way, far above the network's rounding.
/// </remarks>
internal sealed class PropagatedErrors : IDisposable
{
    private const double Enlarged = 0.05; // of the trajectory's own size
    private readonly ISolver _solver = SolverCatalog.Find("ipndm-v:3");
    private readonly IDenoiser _denoiser;
    private readonly SamplingSchedule _grid;
    private readonly List<Tensor> _ends = []; // [M, B, values], float64, per unit of the cell's integral

    /// <summary>Runs the trajectories and all M^2/2 errors of each.</summary>
    public PropagatedErrors(
        PairedSampling paired, SamplingSchedule grid, SeedList seeds, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        (_denoiser, _grid) = (paired.Denoiser, grid);
        int done = 0;
        paired.Trajectories(_solver, grid, seeds, path =>
        {
            long[] some = [.. seeds.Skip(done).Take((int)path.States[0].shape[0])];
            using var labels = SeedLabels.For(some, _denoiser.Classes, device: _denoiser.Device);
            _ends.Add(Carry(path, labels, done, seeds.Count, progress, cancellation));
            done += some.Length;
        }, null, cancellation);
        Kernel = Mean();
    }

    /// <summary>The grid's sigmas, decreasing.</summary>
    public IReadOnlyList<double> Sigmas => _grid.Sigmas;

    /// <summary>K [M][M]: mean over latents of the inner product of two cells' errors, a value.</summary>
    public double[][] Kernel { get; }

    /// <summary>Each latent's mean square error at the end of a schedule with the cells' integrals <paramref name="weights"/>.</summary>
    public double[] MeanSquares(double[] weights)
    {
        using var scope = NewDisposeScope();
        var factors = tensor(weights).view(-1, 1, 1);
        return [.. _ends.SelectMany(e => (e * factors).sum([0L]).Squared().mean([1]).data<double>().ToArray())];
    }

    public void Dispose() => _ends.ForEach(e => e.Dispose());

    private Tensor Carry(
        Trajectory path, Tensor? labels, int done, int all, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var ends = new Tensor[_grid.Steps];
        for (int m = 0; m < ends.Length; m++)
        {
            cancellation.ThrowIfCancellationRequested();
            using var one = NewDisposeScope();
            double h = _grid.Sigmas[m] - _grid.Sigmas[m + 1];
            var (error, factor) = Own(path, m);
            ends[m] = (Carry(path, m + 1, error, labels).flatten(1).to(float64).cpu() / factor.to(float64).cpu().view(-1, 1))
                .Over(h * h / 2).MoveToOuterDisposeScope();
            progress?.Report(new WorkProgress("propagated errors", (done * (long)ends.Length) + ((m + 1) * path.States[0].shape[0]),
                all * (long)ends.Length, "errors"));
        }

        return stack(ends).DetachFromDisposeScope();
    }

    // The cell's Euler error where it ends, enlarged, and by how much.
    private (Tensor Error, Tensor Factor) Own(Trajectory path, int m)
    {
        double next = _grid.Sigmas[m + 1];
        var error = path.Denoised[m].lerp(path.States[m], next / _grid.Sigmas[m]) - path.States[m + 1];
        var size = error.Squared().mean([1, 2, 3], keepdim: true).sqrt().clamp_min(TensorArithmetic.Number(1e-30));
        var factor = size.reciprocal().Times(Enlarged * Math.Sqrt(1 + (next * next))).clamp_min(TensorArithmetic.One);
        return (error * factor, factor);
    }

    // The flow's own solver on the difference: it is linear in states and outputs.
    private Tensor Carry(Trajectory path, int from, Tensor error, Tensor? labels)
    {
        List<PastStep> history = [];
        for (int k = from; k < _grid.Steps; k++)
        {
            using var scope = NewDisposeScope();
            double s = _grid.Sigmas[k];
            using var sigma = TensorArithmetic.Full([1], s, error.dtype, error.device);
            var change = _denoiser.Denoise(path.States[k] + error, sigma, labels) - path.Denoised[k];
            var step = new SolverStep(_grid, k, error, change, history, (_, _) => throw new InvalidOperationException(
                $"{_solver.Name} asked for a second evaluation."));
            var next = _solver.Step(step.Remembering(_solver.HistoryLength)).Next.MoveToOuterDisposeScope();
            history = [new PastStep(s, error, change.MoveToOuterDisposeScope()), .. history.Take(_solver.HistoryLength - 1)];
            error = next;
        }

        return error;
    }

    private double[][] Mean()
    {
        using var scope = NewDisposeScope();
        long images = _ends.Sum(e => e.shape[1]), values = _ends[0].shape[2];
        var sum = _ends.Select(e => e.flatten(1)).Select(e => e.mm(e.t())).Aggregate((a, b) => a + b).Over((double)images * values);
        int cells = (int)sum.shape[0];
        double[] flat = sum.data<double>().ToArray();
        return [.. Enumerable.Range(0, cells).Select(m => flat[(m * cells)..((m + 1) * cells)])];
    }
}
