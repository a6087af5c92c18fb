using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tuning;

/// <summary>
/// Pulls the student's path to the teacher's. The student starts where the teacher does and goes its own way with the solver that it will
/// be sampled with, each step detached, so that it learns at the states that it will meet. Its error at every level is that of the state
/// where the step lands, against the teacher's; for Euler this is the error of D against D* = (x_teacher(s_(i+1)) - r x_i) / (1 - r), r =
/// s_(i+1) / s_i.
/// </summary>
internal sealed class TrajectoryObjective(TuningNetwork network, Sampler sampler, TuningOptions options) : ITuningObjective
{
    private readonly TeacherBlocks _blocks = new(network, sampler.Schedule, options);
    private readonly SamplingSchedule _schedule = sampler.Schedule;
    private readonly ISolver _solver = sampler.Solver;
    private readonly List<Tensor> _heldOutEnds = [];

    public string HeldOutMetric => "root-mean-square distance of a pixel to the teacher's endpoint";

    public Tensor Backpropagate(long update, Tensor weights, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var paths = _blocks.Batch(update, cancellation);
        var student = network.Student(weights);
        var total = zeros(1, device: weights.device);
        for (int first = 0; first < options.Batch; first += options.EvaluationBatch)
        {
            using var part = NewDisposeScope();
            BackpropagatePart(paths.Part(first, Math.Min(options.EvaluationBatch, options.Batch - first)), student, total);
        }

        return total.MoveToOuterDisposeScope();
    }

    public double HeldOut(Tensor weights, CancellationToken cancellation)
    {
        var device = weights.device;
        var student = new SamplingLoop(network.HeldOut(weights), _solver, _schedule);
        using var all = NewDisposeScope();
        var squares = zeros(1, float64, device);
        for (int start = 0, batch = 0; start < options.HeldOutCount; start += options.EvaluationBatch, batch++)
        {
            using var scope = NewDisposeScope();
            long[] seeds = SeedPlan.HeldOut(start, Math.Min(options.EvaluationBatch, options.HeldOutCount - start));
            var latents = Latents.Draw(seeds, network.Model.Shape, device: device);
            var labels = SeedLabels.For(seeds, network.Model.Classes, device: device);
            if (batch == _heldOutEnds.Count)
            {
                var teacher = new TeacherPath(
                    network.Teacher, _schedule, SolverCatalog.Find(options.TeacherSolver), options.TeacherSubsteps);
                _heldOutEnds.Add(teacher.Solve(latents, labels, cancellation)[^1].DetachFromDisposeScope());
            }

            var end = student.Sample(latents, labels, cancellationToken: cancellation).Samples;
            squares.Plus_((end - _heldOutEnds[batch]).to(ScalarType.Float64).Squared().sum());
        }

        return Math.Sqrt(squares.item<double>() / options.HeldOutCount / network.Model.Shape.Dimension);
    }

    public void Dispose()
    {
        _blocks.Dispose();
        _heldOutEnds.ForEach(end => end.Dispose());
    }

    private void BackpropagatePart(TeacherBlock paths, IDenoiser student, Tensor total)
    {
        using var history = new SolverHistory(_solver.HistoryLength);
        double share = (double)paths.Sigma.shape[0] / options.Batch;
        var x = paths.States[0];
        for (int i = 0; i < paths.Levels; i++)
            x = BackpropagateLevel(i, x, paths, share, student, history, total);
    }

    // Backward at once, so that only one level's graph is alive, and no second forward is needed for the student's state.
    private Tensor BackpropagateLevel(
        int level, Tensor x, TeacherBlock paths, double share, IDenoiser student, SolverHistory history, Tensor total)
    {
        using var scope = NewDisposeScope();
        var ratio = paths.Ratio.select(1, level);
        var sigma = paths.Sigma.select(1, level);
        if (level < _schedule.Steps && _solver.NoiseLevel(_schedule, level) is var told && told != _schedule.Sigmas[level])
            sigma = TensorArithmetic.Full(sigma.shape, told, sigma.dtype, sigma.device);
        var D = student.Denoise(x, sigma, paths.Labels);
        var step = Step(level, x, D, ratio, history.Steps);
        var error = (step.Next - paths.States[level + 1]).Squared().mean([1, 2, 3]);
        // Weights are those of errors of D, of which an Euler step makes 1 - r.
        var loss = (error * paths.Weight.select(1, level) / ratio.negative().Plus(1).Squared()).mean().Times(share).Over(paths.Levels);
        loss.backward();
        total.Plus_(loss.detach());
        if (_solver.HistoryLength > 0)
        {
            Tensor Kept(Tensor t) => t.detach().DetachFromDisposeScope();
            history.Push(
                new PastStep(_schedule.Sigmas[level], Kept(step.Corrected ?? x), Kept(D), step.Corrected is null ? null : Kept(x)));
        }

        return step.Next.detach().MoveToOuterDisposeScope();
    }

    // Euler's step takes each row at its own sigmas, which differ where levels are moved at random; after the last sigma the terminal rule
    // zero takes D itself.
    private SolverResult Step(int level, Tensor x, Tensor D, Tensor ratio, IReadOnlyList<PastStep> history)
        => _solver is EulerSolver || level == _schedule.Steps
        ? new SolverResult(lerp(D, x, ratio.view(-1, 1, 1, 1)))
        : _solver.Step(new SolverStep(_schedule, level, x, D, history,
            (_, _) => throw new InvalidOperationException($"{_solver.Name} asked for a second evaluation.")));
}
