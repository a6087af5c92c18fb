using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Search;

/// <summary>Where Euler's method ends on any schedule through points of a grid, without running it: the errors of its steps beside a fine
/// trajectory, and what its further steps make of them.</summary>
/// <remarks>
/// The Euler error of each cell of the grid is carried on along the trajectory by the flow, which takes an evaluation of the denoiser
/// beside the trajectory a point. What a step from point a to point b errs is known from the trajectory alone, and what it makes of a
/// cell's error from the evaluations at a; both are written, by least squares, as combinations of the cells' errors at b. A run is then a
/// product of small matrices, for each latent. What lies outside of the combinations is lost, and the denoiser's change is taken to be
/// linear in errors. Owns its tensors.
/// </remarks>
internal sealed class LinearisedEuler : IDisposable
{
    private const int Together = 8; // latents; two states of each for every pair of points are in memory while they are measured
    private const double Enlarged = 0.05; // of the trajectory's own size, far above the network's rounding
    private const double Ridge = 1e-6;
    private readonly ISolver _solver = SolverCatalog.Find("ipndm-v:3");
    private readonly List<Tensor>[][] _made; // [a][b-a-1], each [B,1,b]: the error of a step from a to b
    private readonly List<Tensor>[][] _kept; // the same, each [B,a,b]: what it makes of the errors at a
    private readonly List<Tensor> _ends = []; // each [B,M,d]: the cells' errors at the end
    private readonly List<Tensor> _teacher = []; // each [B,C,H,W]
    private readonly IDenoiser _denoiser;
    private readonly int _batchSize;

    /// <summary>Runs the trajectories in 2 M steps, and the M (M - 1) / 2 further evaluations of each that carry errors.</summary>
    /// <param name="fine">The trajectories' schedule; a cell is two of its steps.</param>
    public LinearisedEuler(IDenoiser denoiser, SamplingSchedule fine, SeedList seeds, int batchSize, IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        var paired = new PairedSampling(denoiser, Math.Min(Together, batchSize));
        (_denoiser, _batchSize) = (paired.Denoiser, batchSize);
        Grid = new SamplingSchedule(fine.Sigmas.Where((_, i) => i % 2 == 0), fine.Terminal);
        List<Tensor>[][] Table() => [.. Enumerable.Range(0, Grid.Steps).Select(
            a => Enumerable.Range(a, Grid.Steps - a).Select(_ => new List<Tensor>()).ToArray())];
        (_made, _kept) = (Table(), Table());
        int done = 0;
        paired.Trajectories(_solver, fine, seeds, path =>
        {
            long[] some = [.. seeds.Skip(done).Take((int)path.States[0].shape[0])];
            using var labels = SeedLabels.For(some, denoiser.Classes, device: denoiser.Device);
            Add(path, labels, k => progress?.Report(new WorkProgress(
                "errors of Euler's steps", done + ((long)some.Length * k / Grid.Steps), seeds.Count, "img")), cancellation);
            done += some.Length;
        }, null, cancellation);
        Evaluations = paired.Evaluations;
        foreach (var parts in _made.Concat(_kept).SelectMany(row => row).Append(_ends).Append(_teacher))
            Join(parts);
    }

    /// <summary>Points that schedules may go through.</summary>
    public SamplingSchedule Grid { get; }

    public long Evaluations { get; }

    /// <summary>Ends of the fine trajectories [L,C,H,W].</summary>
    public Tensor Teacher => _teacher[0];

    /// <summary>Where Euler's method ends.</summary>
    /// <param name="path">Points of the grid, from its first to its last.</param>
    /// <returns>Images [L,C,H,W], which belong to the current dispose scope.</returns>
    public Tensor Ends(IReadOnlyList<int> path)
    {
        using var scope = NewDisposeScope();
        var error = _made[0][path[1] - 1][0];
        for (int k = 1; k + 1 < path.Count; k++)
        {
            var (a, jump) = (path[k], path[k + 1] - path[k] - 1);
            error = _made[a][jump][0].Plus(error.bmm(_kept[a][jump][0]));
        }

        return Teacher.Plus(error.bmm(_ends[0]).view_as(Teacher)).MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        foreach (var part in _made.Concat(_kept).SelectMany(row => row).Append(_ends).Append(_teacher).SelectMany(parts => parts))
            part.Dispose();
    }

    private static void Join(List<Tensor> parts)
    {
        if (parts.Count == 0)
            return;
        using var scope = NewDisposeScope();
        var all = cat([.. parts]).DetachFromDisposeScope();
        parts.ForEach(part => part.Dispose());
        parts.Clear();
        parts.Add(all);
    }

    private void Add(Trajectory path, Tensor? labels, Action<int> told, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        List<CarriedError> cells = [];
        List<(Tensor Errors, Tensor Changes)> points = []; // [B,a,d] of point a
        for (int k = 0; k < Grid.Steps; k++)
        {
            cancellation.ThrowIfCancellationRequested();
            points.Add(cells.Count == 0 ? default : Carry(k, path, cells, labels));
            cells.Add(new CarriedError(OwnError(path, k)));
            Express(path, k + 1, cells, points);
            told(k + 1);
        }

        _ends.Add(Rows(cells.Select(c => c.Error)).DetachFromDisposeScope());
        _teacher.Add(path.States[^1].clone().DetachFromDisposeScope());
    }

    // Euler's error where a step from a ends at b.
    private Tensor StepError(Trajectory path, int a, int b)
        => path.Denoised[2 * a].Plus(path.States[2 * a] - path.Denoised[2 * a], Grid.Sigmas[b] / Grid.Sigmas[a]) - path.States[2 * b];

    private Tensor OwnError(Trajectory path, int cell)
    {
        using var scope = NewDisposeScope();
        var error = StepError(path, cell, cell + 1);
        using var tiny = TensorArithmetic.Number(1e-30);
        double next = Grid.Sigmas[cell + 1], size = Enlarged * Math.Sqrt(1 + (next * next));
        var factor = error.Squared().mean([1, 2, 3], keepdim: true).sqrt().clamp_min(tiny).reciprocal().Times(size)
            .clamp_min(TensorArithmetic.One);
        return (error * factor).MoveToOuterDisposeScope();
    }

    // All errors go on by a step of the trajectory's own solver, which is linear in states and outputs.
    private (Tensor Errors, Tensor Changes) Carry(int k, Trajectory path, List<CarriedError> cells, Tensor? labels)
    {
        using var scope = NewDisposeScope();
        var (x, D) = (path.States[2 * k], path.Denoised[2 * k]);
        int images = (int)x.shape[0];
        using var sigma = TensorArithmetic.Full([1], Grid.Sigmas[k], x.dtype, x.device);
        var errors = Rows(cells.Select(c => c.Error));
        List<Tensor> changes = [];
        foreach (var some in cells.Chunk(Math.Max(1, _batchSize / images)))
        {
            var classes = labels is null ? null : cat([.. some.Select(_ => labels)]);
            var outputs = _denoiser.Denoise(cat([.. some.Select(c => x.Plus(c.Error))]), sigma, classes).split(images);
            foreach (var (cell, output) in some.Zip(outputs))
            {
                changes.Add(output - D);
                cell.Step(_solver, Grid, k, changes[^1]);
            }
        }

        return (errors.MoveToOuterDisposeScope(), Rows(changes).MoveToOuterDisposeScope());
    }

    // Steps to b as combinations of the cells' errors there.
    private void Express(Trajectory path, int b, List<CarriedError> cells, List<(Tensor Errors, Tensor Changes)> points)
    {
        using var scope = NewDisposeScope();
        var basis = Rows(cells.Select(c => c.Error)).to(float64);
        var norm = basis.norm(2, keepdim: true); // [B,b,1]
        var unit = basis / norm;
        var products = new List<Tensor>();
        for (int a = 0; a < b; a++)
        {
            double ratio = Grid.Sigmas[b] / Grid.Sigmas[a];
            var step = StepError(path, a, b).flatten(1).unsqueeze(1); // [B,1,d]
            var targets = a == 0 ? step : cat([step, points[a].Errors.Times(ratio).Plus(points[a].Changes, 1 - ratio)], 1); // [B,1+a,d]
            products.Add(unit.bmm(targets.to(float64).transpose(1, 2)));
        }

        var gram = unit.bmm(unit.transpose(1, 2)).Plus(eye(b, dtype: float64, device: unit.device), Ridge);
        var weights = (linalg.solve(gram, cat([.. products], 2)) / norm).transpose(1, 2).to(float32); // [B,targets,b]
        for (int a = 0, row = 0; a < b; row += 1 + a, a++)
        {
            _made[a][b - a - 1].Add(weights.narrow(1, row, 1).clone().DetachFromDisposeScope());
            if (a > 0)
                _kept[a][b - a - 1].Add(weights.narrow(1, row + 1, a).clone().DetachFromDisposeScope());
        }
    }

    private static Tensor Rows(IEnumerable<Tensor> images)
    {
        using var scope = NewDisposeScope();
        return stack([.. images.Select(x => x.flatten(1))], 1).MoveToOuterDisposeScope();
    }

    private sealed class CarriedError(Tensor error)
    {
        private List<PastStep> _history = [];

        public Tensor Error { get; private set; } = error;

        public void Step(ISolver solver, SamplingSchedule grid, int k, Tensor change)
        {
            var step = new SolverStep(grid, k, Error, change, _history,
                (_, _) => throw new InvalidOperationException($"{solver.Name} asked for a second evaluation."));
            var next = solver.Step(step).Next.MoveToOuterDisposeScope();
            _history = [new PastStep(grid.Sigmas[k], Error, change.MoveToOuterDisposeScope()), .. _history.Take(solver.HistoryLength - 1)];
            Error = next;
        }
    }
}
