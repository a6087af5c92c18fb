using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>What curvature at a noise level does to the end of a trajectory: for every cell of a fine grid and each latent, the error at
/// the end that one Euler step over the cell leaves, divided by h^2/2.</summary>
/// <remarks>
/// Both parts are measured: a cell's own Euler error on a fine trajectory, and how the flow carries it to the end, as the difference of the
/// denoiser's outputs beside the trajectory and on it. The second is all but linear in the error, so the error is enlarged on the way, far
/// above the network's rounding.
/// </remarks>
internal sealed class PropagatedErrors
{
    private const double Enlarged = 0.05; // of the trajectory's own size
    private readonly ISolver _solver = SolverCatalog.Find("ipndm-v:3");
    private readonly IDenoiser _denoiser;
    private readonly SamplingSchedule _grid;
    private readonly int _batchSize;
    private readonly List<double[][]> _gramians = []; // of each latent

    /// <summary>Runs the trajectories in 2 M steps, and the M (M - 1) / 2 further evaluations of each that carry the errors.</summary>
    /// <param name="fine">The trajectories' schedule; a cell is two of its steps.</param>
    public PropagatedErrors(PairedSampling paired, SamplingSchedule fine, SeedList seeds, int batchSize, IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        (_denoiser, _batchSize) = (paired.Denoiser, batchSize);
        _grid = new SamplingSchedule(fine.Sigmas.Where((_, i) => i % 2 == 0), fine.Terminal);
        paired.Trajectories(_solver, fine, seeds, path =>
        {
            long[] some = [.. seeds.Skip(_gramians.Count).Take((int)path.States[0].shape[0])];
            using var labels = SeedLabels.For(some, _denoiser.Classes, device: _denoiser.Device);
            Add(path, labels, seeds.Count, progress, cancellation);
        }, null, cancellation);
        Kernel = [.. Enumerable.Range(0, _grid.Steps).Select(m => Enumerable.Range(0, _grid.Steps)
            .Select(l => _gramians.Average(g => g[m][l])).ToArray())];
    }

    /// <summary>Ends of the cells.</summary>
    public SamplingSchedule Grid => _grid;

    /// <summary>K [M][M]: mean over latents of the inner product of two cells' errors, a value.</summary>
    public double[][] Kernel { get; }

    /// <summary>Each latent's mean square at the end of errors that count as much as these weights.</summary>
    public double[] MeanSquares(double[] weights) => [.. _gramians.Select(
        g => g.Select((row, m) => weights[m] * row.Select((value, l) => weights[l] * value).Sum()).Sum())];

    private void Add(Trajectory path, Tensor? labels, int all, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        int images = (int)path.States[0].shape[0];
        List<Carried> carried = [];
        for (int k = 0; k < _grid.Steps; k++)
        {
            cancellation.ThrowIfCancellationRequested();
            if (carried.Count > 0)
                Carry(k, path, carried, labels);

            carried.Add(Own(path, k));
            progress?.Report(new WorkProgress("propagated errors", _gramians.Count + ((long)images * (k + 1) / _grid.Steps), all, "img"));
        }

        double[] halfSquares = [.. _grid.Sigmas.Zip(_grid.Sigmas.Skip(1), (a, b) => (a - b) * (a - b) / 2)];
        var ends = stack([.. carried.Select((c, m) => (c.Error.flatten(1).to(float64) / c.Factor.to(float64).view(-1, 1)).Over(halfSquares[m]))], 1);
        double[] products = ends.bmm(ends.transpose(1, 2)).Over((double)ends.shape[2]).cpu().data<double>().ToArray();
        int n = _grid.Steps;
        for (int b = 0; b < images; b++)
            _gramians.Add([.. Enumerable.Range(0, n).Select(m => products[(((b * n) + m) * n)..(((b * n) + m + 1) * n)])]);
    }

    // The cell's Euler error where it ends, enlarged.
    private Carried Own(Trajectory path, int m)
    {
        double next = _grid.Sigmas[m + 1];
        var error = path.Denoised[2 * m].lerp(path.States[2 * m], next / _grid.Sigmas[m]) - path.States[2 * (m + 1)];
        using var tiny = TensorArithmetic.Number(1e-30);
        var size = error.Squared().mean([1, 2, 3], keepdim: true).sqrt().clamp_min(tiny);
        var factor = size.reciprocal().Times(Enlarged * Math.Sqrt(1 + (next * next))).clamp_min(TensorArithmetic.One);
        return new Carried(error * factor, factor);
    }

    // All errors by a step of the flow's own solver on the difference: it is linear in states and outputs.
    private void Carry(int k, Trajectory path, List<Carried> carried, Tensor? labels)
    {
        using var scope = NewDisposeScope();
        var (x, D) = (path.States[2 * k], path.Denoised[2 * k]);
        int images = (int)x.shape[0], together = Math.Max(1, _batchSize / images);
        using var sigma = TensorArithmetic.Full([1], _grid.Sigmas[k], x.dtype, x.device);
        foreach (var some in carried.Chunk(together))
        {
            var beside = cat([.. some.Select(c => x + c.Error)]);
            var classes = labels is null ? null : cat([.. some.Select(_ => labels)]);
            var outputs = _denoiser.Denoise(beside, sigma, classes).split(images);
            foreach (var (error, output) in some.Zip(outputs))
                error.Step(_solver, _grid, k, output - D);
        }
    }

    private sealed class Carried(Tensor error, Tensor factor)
    {
        private List<PastStep> _history = [];

        public Tensor Error { get; private set; } = error;

        public Tensor Factor => factor;

        public void Step(ISolver solver, SamplingSchedule grid, int k, Tensor change)
        {
            var step = new SolverStep(
                grid, k, Error, change, _history, (_, _) => throw new InvalidOperationException($"{solver.Name} asked for a second evaluation."));
            var next = solver.Step(step).Next.MoveToOuterDisposeScope();
            _history = [new PastStep(grid.Sigmas[k], Error, change.MoveToOuterDisposeScope()), .. _history.Take(solver.HistoryLength - 1)];
            Error = next;
        }
    }
}
