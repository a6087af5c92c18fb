using FewStep.Networks;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tuning;

namespace FewStep.Tests.Tuning;

public sealed class ConsistencyObjectiveTests
{
    private static readonly SamplingSchedule Two = new([80, 2, 0.05]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // At its last stage the target is the student's own step from the next point of the path.
    [Theory]
    [InlineData(TuningLoss.Regression, 3)]
    [InlineData(TuningLoss.Consistency, 0)]
    [InlineData(TuningLoss.Consistency, 3)]
    public void Loss_and_gradient_are_those_of_the_plain_formula(TuningLoss loss, long update)
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create();
        var options = Options with { Loss = loss };
        var sampler = new Sampler(Two, new EulerSolver());
        using var objective = new ConsistencyObjective(new TuningNetwork(new Trainable(model)), sampler, options, new PixelEmbedding());
        var leaf = TinyModel.Perturbed(model.Weights).requires_grad_();
        double found = objective.Backpropagate(update, leaf, Token).item<float>();

        var path = options.Teacher(model, Two);
        var latents = Latents.Draw(TuningSeeds.Training(0, update, 1), TinyModel.Shape);
        var states = path.SolveFinely(latents, null, Token);
        using var generator = new Generator((ulong)TuningSeeds.Noise(0, update));
        float[] draws = rand([2], generator: generator).data<float>().ToArray();
        int gap = loss == TuningLoss.Regression || update == 0 ? 8 : 1;
        var plain = leaf.detach().clone().requires_grad_();
        var sum = zeros(1);
        var start = states[0]; // the student's own
        double starts = loss == TuningLoss.Regression ? 0.3 + (0.7 * update / 4) : 0.3;
        for (int k = 0; k < 2; k++)
        {
            int point = (8 * k) + (int)(Math.Max(0, (draws[k] - starts) / (1 - starts)) * 8), end = 8 * (k + 1);
            int next = Math.Min(end, point + gap);
            Tensor Land(Tensor weights, int from, Tensor x)
            {
                double s = path.Fine.Sigmas[from], r = path.Fine.Sigmas[end] / s;
                return (x * r) + (model.Denoise(weights, x, full(1, (float)s), null) * (1 - r));
            }

            var target = next == end ? states[end] : Land(plain.detach(), next, states[next]);
            sum += (Land(plain, point, point == 8 * k ? start : states[point]) - target).square().mean() / 2;
            start = Land(plain.detach(), 8 * k, start);
        }

        sum.backward();
        Assert.Equal(sum.item<float>(), found, 1e-4 * found);
        Assert.True((leaf.grad! - plain.grad!).norm().item<float>() < 1e-3 * plain.grad!.norm().item<float>());
    }

    [Theory]
    [InlineData(ScheduleTerminal.SigmaMin, 0)]
    [InlineData(ScheduleTerminal.Zero, 0)]
    [InlineData(ScheduleTerminal.SigmaMin, 3)]
    public void Parts_of_a_batch_add_up_to_its_update(ScheduleTerminal terminal, double energy)
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create(classes: 2);
        (double Loss, Tensor Gradient) Of(int? part)
        {
            using var embedding = new EncoderEmbedding(model, 0.3);
            using var objective = new ConsistencyObjective(new TuningNetwork(new Trainable(model)),
                new Sampler(new SamplingSchedule(Two.Sigmas, terminal), new EulerSolver()),
                Options with { Batch = 5, MicroBatch = part, LabelDropout = 0.5, EnergyWeight = energy }, embedding);
            var leaf = TinyModel.Perturbed(model.Weights).requires_grad_();
            return (objective.Backpropagate(2, leaf, Token).item<float>(), leaf.grad!);
        }

        var (whole, parts) = (Of(null), Of(2));
        Assert.Equal(whole.Loss, parts.Loss, 1e-5 * whole.Loss);
        Assert.True((whole.Gradient - parts.Gradient).norm().item<float>() < 1e-4 * whole.Gradient.norm().item<float>());
    }

    private static TuningOptions Options { get; } = new()
    { Loss = TuningLoss.Consistency, Updates = 4, Batch = 1, TeacherBatches = 1, TeacherReuse = 1, LabelDropout = 0 };
}
