using FewStep.Checkpoints;
using FewStep.Networks;
using FewStep.Tuning;

namespace FewStep.Tests.Tuning;

public sealed class EdmLossTests
{
    [Fact]
    public void An_untrained_network_s_loss_is_the_weighted_error_of_c_skip_x()
    {
        // EDM initialises the last layer to (nearly) zero, so D = c_skip x and, for images of zeros, the expected weighted loss is known.
        using var scope = NewDisposeScope();
        using var model = ModelFolder.Initialize(TrainableModel.Config, 3);
        using var generator = new Generator(1);
        const double SigmaData = 0.5;
        var loss = new EdmLoss(-1.2, 1.2, SigmaData);
        double measured = loss.Compute(model, model.Weights, zeros(4000, 1, 8, 8), null, generator).item<float>();

        // weight * c_skip^2 sigma^2 = sd^2 / (sigma^2 + sd^2)
        double expected = Enumerable.Range(0, 20001).Select(i => -6 + 12.0 * i / 20000).Average(z =>
        {
            double sigma = Math.Exp(-1.2 + 1.2 * z);
            return SigmaData * SigmaData / (sigma * sigma + SigmaData * SigmaData) * Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI) * 12;
        });
        Assert.InRange(measured, 0.97 * expected, 1.03 * expected);
    }

    [Fact]
    public void Its_gradient_matches_finite_differences()
    {
        using var scope = NewDisposeScope();
        using var model = ModelFolder.Initialize(
            TrainableModel.Config with { Network = (SongUNetOptions)TrainableModel.Config.Network with { Dropout = 0 } }, 3);
        var images = rand([4, 1, 8, 8], generator: new Generator(2));
        var leaf = model.Weights.clone().requires_grad_();
        Loss(leaf).backward();
        var direction = randn(leaf.shape, generator: new Generator(4));
        double slope = (leaf.grad! * direction).sum().item<float>();
        const double Step = 1e-3;
        double difference = (Loss(model.Weights + direction * Step).item<float>() - Loss(model.Weights - direction * Step).item<float>())
            / (2 * Step);
        Assert.InRange(difference, slope - 0.03 * Math.Abs(slope) - 1e-3, slope + 0.03 * Math.Abs(slope) + 1e-3);

        Tensor Loss(Tensor weights) => new EdmLoss().Compute(model, weights, images, tensor(new long[] { 0, 1, 2, -1 }), new Generator(5));
    }
}
