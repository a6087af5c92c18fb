using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using static TorchSharp.torch;

namespace FewStep.FineTuning;

/// <summary>
/// Pulls the student's Euler path to the teacher's. The student starts where the teacher does and goes its own way, each step detached, so that it learns at the states that it will meet; its error at
/// every level is that of D against the D* whose step lands on the teacher's next state.
/// </summary>
internal sealed class TrajectoryObjective(TuningNetwork network, SamplingSchedule schedule, TunerOptions options) : ITuningObjective
{
    private readonly TeacherBlocks _blocks = new(network, schedule, options);
    private readonly List<Tensor> _heldOutEnds = [];

    public string HeldOutMetric => "root-mean-square distance of a pixel to the teacher's endpoint";

    /// <summary>D* = (x_teacher(s_(i+1)) - r x_i) / (1 - r): the denoiser output that takes an Euler step from x_i to the teacher's next state.</summary>
    /// <param name="teacherNext">x_teacher(s_(i+1)) [B,C,H,W].</param>
    /// <param name="x">The student's state x_i.</param>
    /// <param name="r">s_(i+1) / s_i [B,1,1,1], below 1.</param>
    public static Tensor Target(Tensor teacherNext, Tensor x, Tensor r) => (teacherNext - r * x) / (1 - r);

    /// <summary>Euler's step r x + (1 - r) D.</summary>
    public static Tensor Step(Tensor denoised, Tensor x, Tensor r) => lerp(denoised, x, r);

    public double Backpropagate(long update, Tensor weights, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var paths = _blocks.Batch(update, cancellation);
        var student = network.Student(weights);
        var total = zeros(1, device: weights.device);
        var x = paths.States[0];
        for (int i = 0; i < paths.Levels; i++)
        {
            x = BackpropagateLevel(i, x, paths, student, total);
        }

        return total.item<float>();
    }

    public double HeldOut(Tensor weights, CancellationToken cancellation)
    {
        var device = weights.device;
        var student = new Sampler(network.HeldOut(weights), new EulerSolver(), schedule);
        double squares = 0;
        for (int start = 0, batch = 0; start < options.HeldOutCount; start += options.Batch, batch++)
        {
            using var scope = NewDisposeScope();
            long[] seeds = TuningSeeds.HeldOut(start, Math.Min(options.Batch, options.HeldOutCount - start));
            var latents = Latents.Draw(seeds, network.Model.Shape, device: device);
            var labels = SeedLabels.For(seeds, network.Model.Classes, device: device);
            if (batch == _heldOutEnds.Count)
            {
                var teacher = new TeacherPath(network.Teacher, schedule, options.TeacherSubsteps);
                _heldOutEnds.Add(teacher.Solve(latents, labels, cancellation)[^1].DetachFromDisposeScope());
            }

            var end = student.Sample(latents, labels, cancellationToken: cancellation).Samples;
            squares += (end - _heldOutEnds[batch]).to(ScalarType.Float64).square().sum().item<double>();
        }

        return Math.Sqrt(squares / options.HeldOutCount / network.Model.Shape.Dimension);
    }

    public void Dispose()
    {
        _blocks.Dispose();
        _heldOutEnds.ForEach(end => end.Dispose());
    }

    // Backward at once, so that only one level's graph is alive, and no second forward is needed for the student's state.
    private static Tensor BackpropagateLevel(int level, Tensor x, TeacherBlock paths, IDenoiser student, Tensor total)
    {
        using var scope = NewDisposeScope();
        var r = paths.Ratio.select(1, level).view(-1, 1, 1, 1);
        var D = student.Denoise(x, paths.Sigma.select(1, level), paths.Labels);
        var error = (D - Target(paths.States[level + 1], x, r)).square().mean([1, 2, 3]);
        var loss = (error * paths.Weight.select(1, level)).mean() / paths.Levels;
        loss.backward();
        total.add_(loss.detach());
        return Step(D.detach(), x, r).MoveToOuterDisposeScope();
    }
}
