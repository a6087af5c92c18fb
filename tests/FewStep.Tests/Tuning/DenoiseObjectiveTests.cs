using FewStep.Data;
using FewStep.Networks;
using FewStep.Tuning;

namespace FewStep.Tests.Tuning;

public sealed class DenoiseObjectiveTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Parts_of_a_batch_add_up_to_its_update(int part)
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create(classes: 2);
        var images = new TuningImages(TinyModel.Images(20, 1, labelled: true), TinyModel.Images(7, 2, labelled: true));
        (double Loss, Tensor Gradient, double HeldOut) Of(int? microBatch)
        {
            var options = new TuningOptions
            { Loss = TuningLoss.Denoise, Batch = 5, MicroBatch = microBatch, LabelDropout = 0.5, HeldOutCount = 7 };
            using var objective = new DenoiseObjective(new TuningNetwork(new Trainable(model)), TinyModel.Schedule, options, images);
            using var start = new Generator(5);
            var leaf = (model.Weights.detach() + randn(model.Weights.shape, generator: start) * 0.05).requires_grad_();
            double loss = objective.Backpropagate(1, leaf, TestContext.Current.CancellationToken).item<float>();
            return (loss, leaf.grad!, objective.HeldOut(leaf.detach(), TestContext.Current.CancellationToken));
        }

        var (whole, parts) = (Of(null), Of(part));
        Assert.Equal(whole.Loss, parts.Loss, 1e-6 * whole.Loss);
        Assert.Equal(whole.HeldOut, parts.HeldOut, 1e-6 * whole.HeldOut);
        Assert.True((whole.Gradient - parts.Gradient).norm().item<float>() < 1e-6 * whole.Gradient.norm().item<float>());
    }

    [Fact]
    public void Loss_and_gradient_are_those_of_the_plain_formula()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create();
        var options = new TuningOptions { Loss = TuningLoss.Denoise, Batch = 4, Seed = 3 };
        var images = new TuningImages(TinyModel.Images(10, 1), TinyModel.Images(5, 2));
        using var objective = new DenoiseObjective(new TuningNetwork(new Trainable(model)), TinyModel.Schedule, options, images);
        using var start = new Generator(5);
        var leaf = (model.Weights.detach() + randn(model.Weights.shape, generator: start) * 0.05).requires_grad_();
        double loss = objective.Backpropagate(2, leaf, TestContext.Current.CancellationToken).item<float>();

        var clean = new ImageBatches(images.Training, new ImageBatchOptions { BatchSize = 4, Seed = 3 }).Read(8).Images;
        using var generator = new Generator((ulong)TuningSeeds.Noise(3, 2));
        var noise = Enumerable.Range(0, 3).Select(_ => randn(clean.shape, generator: generator)).ToArray();
        var plain = leaf.detach().clone().requires_grad_();
        var sum = zeros(1);
        for (int i = 0; i < 3; i++)
        {
            double s = TinyModel.Schedule.Sigmas[i];
            var D = model.Denoise(plain, clean + noise[i] * s, full(4, (float)s), null);
            sum = sum + (D - clean).square().mean() * ((s * s + 0.25) / (s * s * 0.25)) / 3;
        }

        sum.backward();
        Assert.Equal(sum.item<float>(), loss, 1e-4 * loss);
        Assert.True((leaf.grad! - plain.grad!).norm().item<float>() < 1e-3 * plain.grad!.norm().item<float>());
    }

    [Fact]
    public void The_held_out_loss_does_not_depend_on_the_batch_size()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create();
        var images = new TuningImages(TinyModel.Images(10, 1), TinyModel.Images(11, 2));
        double HeldOut(int batch)
        {
            var options = new TuningOptions { Loss = TuningLoss.Denoise, Batch = batch, HeldOutCount = 9 };
            using var objective = new DenoiseObjective(new TuningNetwork(new Trainable(model)), TinyModel.Schedule, options, images);
            return objective.HeldOut(model.Weights, TestContext.Current.CancellationToken);
        }

        double expected = HeldOut(4);
        Assert.Equal(expected, HeldOut(9), 1e-5 * expected);
        Assert.Equal(expected, HeldOut(64), 1e-5 * expected);
    }
}
