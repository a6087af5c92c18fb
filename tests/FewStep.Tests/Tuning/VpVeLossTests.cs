using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Tuning;

namespace FewStep.Tests.Tuning;

public sealed class VpVeLossTests
{
    public static TheoryData<string> Kinds => ["vp", "ve"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void An_untrained_network_s_loss_is_that_of_predicting_no_noise(string kind)
    {
        // The last layer starts at (nearly) zero, so D = x: the error is sigma n, weighted 1.
        using var scope = NewDisposeScope();
        using var model = ModelFolder.Initialize(
            TrainableModel.Config with { Preconditioning = new() { Kind = kind, SigmaMin = 0.02, SigmaMax = 100 } }, 3);
        using var generator = new Generator(1);
        double measured = Loss(kind).Compute(model, model.Weights, rand([500, 1, 8, 8], generator: generator), null, generator)
            .item<float>();
        Assert.InRange(measured, 0.97, 1.03);
    }

    [Fact]
    public void Vp_s_time_is_uniform_within_the_range_of_vp_preconditioning()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var range = new VpPreconditioning();
        var sigma = new VpLoss().DrawSigma(20_000, generator);
        double[] times =
            [.. range.Coefficients(sigma.to(ScalarType.Float64)).Noise.data<double>().Select(label => label / (1000 - 1)).Order()];
        AssertUniform(times);
        Assert.InRange(sigma.max().item<float>(), 0, range.SigmaMax * (1 + 1e-6));
        Assert.InRange(sigma.min().item<float>(), range.SigmaMin * (1 - 1e-6), 1);
    }

    [Fact]
    public void Ve_s_logarithm_is_uniform()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1);
        var sigma = new VeLoss(0.05, 20).DrawSigma(20_000, generator);
        AssertUniform([.. sigma.data<float>().Select(s => Math.Log(s / 0.05) / Math.Log(20 / 0.05)).Order()]);
    }

    // Kolmogorov and Smirnov's statistic; 1.95 / sqrt(n) is passed once in 1,000 times.
    private static void AssertUniform(double[] sorted)
    {
        double largest = sorted.Select((value, i) => Math.Abs(value - ((i + 0.5) / sorted.Length))).Max();
        Assert.True(largest < 1.95 / Math.Sqrt(sorted.Length), $"{largest}");
    }

    private static TrainingLoss Loss(string kind) => kind == "vp" ? new VpLoss() : new VeLoss(0.02, 100);
}
