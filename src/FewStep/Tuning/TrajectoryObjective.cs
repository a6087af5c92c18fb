using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tuning;

/// <summary>
/// Pulls the student's path to the teacher's. The student starts where the teacher does and goes its own way with the solver that it will
/// be sampled with, each step detached, so that it learns at the states that it will meet. Its error at every level is that of the state
/// where the step lands, against the teacher's; for Euler this is the error of D against D* = (x_teacher(s_(i+1)) - r x_i) / (1 - r), r =
/// s_(i+1) / s_i.
/// </summary>
internal sealed class TrajectoryObjective : TeacherObjective
{
    private readonly StudentSteps _steps;
    private readonly double[] _weights; // of the squared error of the state where each step lands

    public TrajectoryObjective(TuningNetwork network, Sampler sampler, TuningOptions options)
        : base(network, sampler, options, new PixelEmbedding(),
            (teacher, latents, labels, cancellation) => teacher.Solve(latents, labels, cancellation))
    {
        _steps = new StudentSteps(sampler);
        // Weights are those of errors of D, of which an Euler step makes 1 - r.
        double[] nodes = LevelWeights.Nodes(sampler.Schedule);
        _weights = [.. LevelWeights.For(options.LevelWeighting, sampler.Schedule, network.Model.Preconditioning)
            .Select((weight, i) => weight / Math.Pow(1 - (nodes[i + 1] / nodes[i]), 2))];
    }

    protected override void Backpropagate(long update, TeacherPart part, Tensor weights, Action<Tensor> add)
    {
        var (paths, student) = (part.Paths, Network.Student(weights));
        var x = paths.States[0];
        IReadOnlyList<PastStep> past = [];
        for (int i = 0; i < _steps.Levels; i++)
        {
            // Backward at once, so that only one level's graph is alive, and no second forward is needed for the student's state.
            using var level = NewDisposeScope();
            var D = student.Denoise(x, _steps.Told(i, x), paths.Labels);
            var (next, kept) = _steps.Step(i, x, D, past);
            add((next - paths.States[i + 1]).Squared().mean().Times(part.Share * _weights[i] / _steps.Levels));
            x = next.detach().MoveToOuterDisposeScope();
            past = [.. kept.Select(Detached)];
        }
    }

    private static PastStep Detached(PastStep step)
    {
        static Tensor Kept(Tensor t) => t.detach().MoveToOuterDisposeScope();
        return new(step.Sigma, Kept(step.State), Kept(step.Denoised), step.Predicted is { } predicted ? Kept(predicted) : null);
    }
}
