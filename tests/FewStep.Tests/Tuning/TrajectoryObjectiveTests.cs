using FewStep.Denoising;
using FewStep.Tuning;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tests.Tuning;

public sealed class TrajectoryObjectiveTests
{
    [Theory]
    [InlineData(ScheduleTerminal.SigmaMin, null)]
    [InlineData(ScheduleTerminal.Zero, null)]
    [InlineData(ScheduleTerminal.SigmaMin, LevelWeighting.NetworkOutput)]
    public void Loss_and_gradient_are_those_of_the_plain_formula(ScheduleTerminal terminal, LevelWeighting? weighting)
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create(classes: 2);
        var schedule = new SamplingSchedule([80, 5, 0.8, 0.1], terminal);
        var options = new TuningOptions
        { Updates = 4, Batch = 4, TeacherBatches = 1, TeacherReuse = 1, LabelDropout = 0, Weighting = weighting };
        using var objective = new TrajectoryObjective(
            new TuningNetwork(new Trainable(model)), new Sampler(schedule, new EulerSolver()), options);
        var leaf = TinyModel.Perturbed(model.Weights).requires_grad_();
        double loss = objective.Backpropagate(2, leaf, TestContext.Current.CancellationToken).item<float>();

        // The order of the batch does not matter to the mean, so the latents may be taken as they were drawn.
        long[] seeds = TuningSeeds.Training(0, 8, 4);
        var labels = tensor([.. seeds.Select(s => s % 2)]);
        var latents = Latents.Draw(seeds, TinyModel.Shape);
        var teacher = new TeacherPath(model, schedule, SolverCatalog.Find("ipndm:3"), 6)
            .Solve(latents, labels, TestContext.Current.CancellationToken);
        double[] nodes = [.. schedule.Sigmas, 0];
        var plain = leaf.detach().clone().requires_grad_();
        var x = latents * 80;
        var sum = zeros(1);
        int levels = terminal == ScheduleTerminal.Zero ? 4 : 3;
        for (int i = 0; i < levels; i++)
        {
            double s = nodes[i], next = nodes[i + 1];
            var D = model.Denoise(plain, x, full(4, (float)s), labels);
            var landed = x * (next / s) + D * (1 - next / s);
            // by default all states count equally
            double weight = weighting is null ? 1 : (s * s + 0.25) / (s * s * 0.25) / Math.Pow(1 - next / s, 2);
            sum = sum + (landed - teacher[i + 1]).square().mean() * weight / levels;
            x = landed.detach();
        }

        sum.backward();
        Assert.Equal(sum.item<float>(), loss, 1e-4 * loss);
        Assert.True((leaf.grad! - plain.grad!).norm().item<float>() < 1e-3 * plain.grad!.norm().item<float>());
    }

    [Theory]
    [InlineData("euler", 2)]
    [InlineData("euler", 64)]
    [InlineData("ipndm:3", 3)]
    public void Parts_of_a_batch_add_up_to_its_update(string solver, int part)
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create(classes: 2);
        (double Loss, Tensor Gradient, double HeldOut) Of(int? microBatch)
        {
            var options = new TuningOptions
            {
                Updates = 4,
                Batch = 5,
                MicroBatch = microBatch,
                TeacherBatches = 2,
                TeacherReuse = 2,
                LabelDropout = 0.5,
                HeldOutCount = 7
            };
            using var objective = new TrajectoryObjective(new TuningNetwork(new Trainable(model)), On(solver), options);
            var leaf = TinyModel.Perturbed(model.Weights).requires_grad_();
            double loss = objective.Backpropagate(1, leaf, TestContext.Current.CancellationToken).item<float>();
            return (loss, leaf.grad!, objective.HeldOut(leaf.detach(), TestContext.Current.CancellationToken));
        }

        var (whole, parts) = (Of(null), Of(part));
        Assert.Equal(whole.Loss, parts.Loss, 1e-5 * whole.Loss);
        Assert.Equal(whole.HeldOut, parts.HeldOut, 1e-5 * whole.HeldOut);
        Assert.True((whole.Gradient - parts.Gradient).norm().item<float>() < 1e-5 * whole.Gradient.norm().item<float>());
    }

    // Adams-Bashforth of order 2 written out: x + h (3 d_i - d_(i-1)) / 2 after a first Euler step, the past detached.
    [Fact]
    public void Through_a_multistep_solver_the_gradient_is_that_of_the_present_output()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create();
        using var objective = new TrajectoryObjective(new TuningNetwork(new Trainable(model)), On("ipndm:2"), Multistep);
        var leaf = TinyModel.Perturbed(model.Weights).requires_grad_();
        double loss = objective.Backpropagate(0, leaf, TestContext.Current.CancellationToken).item<float>();
        var (latents, teacher) = Paths(model);
        var plain = leaf.detach().clone().requires_grad_();
        var x = latents * 80;
        var sum = zeros(1);
        Tensor? past = null;
        for (int i = 0; i < 4; i++)
        {
            double s = Four.Sigmas[i], h = Four.Sigmas[i + 1] - s;
            var d = (x - model.Denoise(plain, x, full(4, (float)s), null)) / s;
            var next = x + (h * (past is null ? d : (1.5 * d) - (0.5 * past)));
            sum = sum + ((next - teacher[i + 1]).square().mean() / 4);
            (x, past) = (next.detach(), d.detach());
        }

        sum.backward();
        Assert.Equal(sum.item<float>(), loss, 1e-4 * loss);
        Assert.True((leaf.grad! - plain.grad!).norm().item<float>() < 1e-3 * plain.grad!.norm().item<float>());
    }

    [Theory]
    [InlineData("ipndm:3")]
    [InlineData("deis:3")]
    [InlineData("unipc:2:thresholding=false")]
    public void The_student_goes_where_the_sampler_goes(string solver)
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create();
        var weights = TinyModel.Perturbed(model.Weights);
        using var objective = new TrajectoryObjective(new TuningNetwork(new Trainable(model)), On(solver), Multistep);
        double loss = objective.Backpropagate(0, weights.clone().requires_grad_(), TestContext.Current.CancellationToken).item<float>();
        var (latents, teacher) = Paths(model);
        var denoiser = new WeightsDenoiser(new Trainable(model)) { Weights = weights };
        var recorder = new Recorder(denoiser);
        var end = new SamplingLoop(recorder, SolverCatalog.Find(solver), Four).Sample(latents).Samples;
        Tensor[] states = [.. recorder.States, end];
        double expected = Enumerable.Range(1, 4).Average(i => (states[i] - teacher[i]).square().mean().item<float>());
        Assert.Equal(expected, loss, 1e-4 * expected);
    }

    [Theory]
    [InlineData("heun", TuningLoss.Trajectory)]
    [InlineData("dpmpp:2", TuningLoss.Endpoint)]
    [InlineData("ipndm:2", TuningLoss.Regression)]
    [InlineData("deis:2", TuningLoss.Consistency)]
    [InlineData("magic", TuningLoss.Denoise)]
    public void Solvers_that_a_model_cannot_be_tuned_for_are_named(string solver, TuningLoss loss)
    {
        var refused = Assert.Throws<InvalidInputException>(() => new TuningOptions { Loss = loss }.Check(SolverCatalog.Find(solver)));
        Assert.Contains(solver, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Every_path_of_a_block_is_used_as_often_as_the_options_say_and_a_new_start_gives_the_same()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create();
        var options = new TuningOptions { Updates = 11, Batch = 3, TeacherBatches = 2, TeacherReuse = 3 };
        using var blocks = new TeacherBlocks(model, options, options.Teacher(model, TinyModel.Schedule).Solve);
        using var again = new TeacherBlocks(model, options, options.Teacher(model, TinyModel.Schedule).Solve);
        var seen = new Dictionary<float, int>();
        for (int update = 0; update < 6; update++)
        {
            var batch = blocks.Batch(update, TestContext.Current.CancellationToken);
            foreach (float first in batch.States[0].select(3, 0).select(2, 0).view(-1).data<float>())
                seen[first] = seen.GetValueOrDefault(first) + 1;
        }

        Assert.Equal(6, seen.Count);
        Assert.All(seen.Values, times => Assert.Equal(3, times));
        var late = blocks.Batch(10, TestContext.Current.CancellationToken);
        var direct = again.Batch(10, TestContext.Current.CancellationToken);
        Assert.True(late.States[3].Equals(direct.States[3]));
    }

    private static SamplingSchedule Four { get; } = new([80, 9, 2, 0.5, 0.05]);

    private static TuningOptions Multistep { get; } = new()
    { Updates = 4, Batch = 4, TeacherBatches = 1, TeacherReuse = 1, LabelDropout = 0 };

    private static Sampler On(string solver) => new(Four, SolverCatalog.Find(solver));

    private static (Tensor Latents, Tensor[] Teacher) Paths(NetworkDenoiser model)
    {
        var latents = Latents.Draw(TuningSeeds.Training(0, 0, 4), TinyModel.Shape);
        return (latents,
            new TeacherPath(model, Four, SolverCatalog.Find("ipndm:3"), 4).Solve(latents, null, TestContext.Current.CancellationToken));
    }

    // The states at which a sampler asks: of a predictor-corrector those before their correction, which is where its steps landed.
    private sealed class Recorder(IDenoiser inner) : IDenoiser
    {
        public List<Tensor> States { get; } = [];

        public ImageShape Shape => inner.Shape;

        public int Classes => inner.Classes;

        public double SigmaMin => inner.SigmaMin;

        public double SigmaMax => inner.SigmaMax;

        public Tensor Denoise(Tensor x, Tensor sigma, Tensor? labels)
        {
            States.Add(x.clone().DetachFromDisposeScope());
            return inner.Denoise(x, sigma, labels);
        }
    }
}
