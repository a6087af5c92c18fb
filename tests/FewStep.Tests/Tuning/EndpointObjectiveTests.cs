using FewStep.Networks;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tuning;

namespace FewStep.Tests.Tuning;

public sealed class EndpointObjectiveTests
{
    private static readonly SamplingSchedule Four = new([80, 9, 2, 0.5, 0.05]);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("euler", ScheduleTerminal.SigmaMin)]
    [InlineData("euler", ScheduleTerminal.Zero)]
    [InlineData("ipndm:2", ScheduleTerminal.SigmaMin)]
    public void The_gradient_is_that_of_the_image_through_all_steps(string solver, ScheduleTerminal terminal)
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create();
        var schedule = new SamplingSchedule(Four.Sigmas, terminal);
        using var objective = new EndpointObjective(
            new TuningNetwork(new Trainable(model)), new Sampler(schedule, SolverCatalog.Find(solver)), Options, new PixelEmbedding());
        var leaf = TinyModel.Perturbed(model.Weights).requires_grad_();
        double loss = objective.Backpropagate(0, leaf, Token).item<float>();

        var latents = Latents.Draw(TuningSeeds.Training(0, 0, 4), TinyModel.Shape);
        var teacher = new TeacherPath(model, schedule, SolverCatalog.Find("ipndm:3"), 4).Solve(latents, null, Token);
        var plain = leaf.detach().clone().requires_grad_();
        var x = latents * 80;
        Tensor? past = null;
        for (int i = 0; i < 4; i++)
        {
            double s = Four.Sigmas[i], h = Four.Sigmas[i + 1] - s;
            var d = (x - model.Denoise(plain, x, full(4, (float)s), null)) / s;
            x += h * (past is null || solver == "euler" ? d : (1.5 * d) - (0.5 * past));
            past = d;
        }

        if (terminal == ScheduleTerminal.Zero)
            x = model.Denoise(plain, x, full(4, 0.05f), null);
        var expected = (x - teacher[^1]).square().mean();
        expected.backward();
        Assert.Equal(expected.item<float>(), loss, 1e-4 * loss);
        Assert.True((leaf.grad! - plain.grad!).norm().item<float>() < 1e-3 * plain.grad!.norm().item<float>());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Parts_of_a_batch_add_up_to_its_update(double energy)
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create(classes: 2);
        (double Loss, Tensor Gradient, double HeldOut) Of(int? part)
        {
            using var embedding = new EncoderEmbedding(model, 0.3);
            using var objective = new EndpointObjective(new TuningNetwork(new Trainable(model)),
                new Sampler(Four, SolverCatalog.Find("ipndm:2")),
                Options with { Batch = 5, MicroBatch = part, HeldOutCount = 7, EnergyWeight = energy }, embedding);
            var leaf = TinyModel.Perturbed(model.Weights).requires_grad_();
            double loss = objective.Backpropagate(1, leaf, Token).item<float>();
            return (loss, leaf.grad!, objective.HeldOut(leaf.detach(), Token));
        }

        var (whole, parts) = (Of(null), Of(2));
        Assert.Equal(whole.Loss, parts.Loss, 1e-5 * whole.Loss);
        Assert.Equal(whole.HeldOut, parts.HeldOut, 1e-5 * whole.HeldOut);
        Assert.True((whole.Gradient - parts.Gradient).norm().item<float>() < 1e-4 * whole.Gradient.norm().item<float>());
    }

    private static TuningOptions Options { get; } = new()
    { Loss = TuningLoss.Endpoint, Updates = 4, Batch = 4, TeacherBatches = 1, TeacherReuse = 1, LabelDropout = 0 };
}
