using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Noise;

namespace FewStep.Tests.Noise;

/// <summary>Noise that is rescaled to end without any signal (Lin et al. 2305.08891).</summary>
public sealed class ZeroTerminalSnrTests
{
    [Fact]
    public void The_levels_are_those_of_algorithm_1()
    {
        // The algorithm as it is written, over the betas of Stable Diffusion.
        double[] roots = new double[1000];
        double product = 1;
        for (int t = 0; t < 1000; t++)
        {
            double beta = Math.Pow(Math.Sqrt(0.00085) + ((Math.Sqrt(0.012) - Math.Sqrt(0.00085)) * t / 999), 2);
            roots[t] = Math.Sqrt(product *= 1 - beta);
        }

        double first = roots[0], last = roots[^1];
        var levels = DiscreteVpNoise.ScaledLinear().WithZeroTerminalSnr().Sigmas;
        Assert.All(levels.Take(999).Index(), level =>
        {
            double root = (roots[level.Index] - last) * first / (first - last);
            double expected = Math.Sqrt(1 - (root * root)) / root;
            Assert.InRange(level.Item / expected, 1 - 1e-9, 1 + 1e-9);
        });
        Assert.Equal(DiscreteVpNoise.ScaledLinear().Sigmas[0], levels[0], 1e-12);
        Assert.Equal(4096, levels[^1], 0.001);
    }

    [Fact]
    public void A_network_that_predicts_v_gives_the_image_at_the_last_time()
    {
        using var scope = NewDisposeScope();
        var preconditioning = new PreconditioningConfig
        { Kind = "discrete", Noise = "vp-scaled-linear", ZeroTerminalSnr = true, Prediction = NetworkPrediction.V }.Build();
        Tensor image = randn(2, 3), noise = randn(2, 3), sigma = tensor(new[] { (float)preconditioning.SigmaMax });
        var c = preconditioning.Coefficients(sigma);
        Assert.Equal(999, c.Noise.item<float>());
        Tensor x = image + (noise * sigma), alpha = c.In, v = (noise * alpha) - (image * (sigma * alpha)); // as a perfect network would
        Assert.InRange((((x * c.Skip) + (v * c.Out)) - image).abs().max().item<float>(), 0, 1e-3);
    }

    [Fact]
    public void A_scheduler_with_it_is_read_and_refused_of_networks_that_predict_the_noise()
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("scheduler_config.json");
        string given = """
            {"_class_name":"DDIMScheduler","beta_schedule":"scaled_linear","beta_start":0.00085,"beta_end":0.012,
            "rescale_betas_zero_snr":true,"timestep_spacing":"trailing","prediction_type":"v_prediction"}
            """;
        File.WriteAllText(path, given);
        var (preconditioning, remarks) = DiffusersNoise.Read(path);
        Assert.Equal(4096, preconditioning.Build().SigmaMax, 0.001);
        Assert.Contains("without any signal", Assert.Single(remarks), StringComparison.Ordinal);
        File.WriteAllText(path, given.Replace("v_prediction", "epsilon", StringComparison.Ordinal));
        Refused.With("rescale_betas_zero_snr is true", () => DiffusersNoise.Read(path));
        Refused.With("zero_terminal_snr", () => (preconditioning with { Prediction = null }).Build());
    }

    [Theory]
    [InlineData("LCMScheduler")]
    [InlineData("TCDScheduler")]
    public void Schedulers_of_latent_consistency_have_scaled_betas_unless_they_say_otherwise(string name)
    {
        using var folder = new TemporaryFolder();
        string path = folder.File("scheduler_config.json");
        File.WriteAllText(path, $$"""{"_class_name":"{{name}}","timestep_scaling":10.0,"original_inference_steps":50}""");
        var (preconditioning, remarks) = DiffusersNoise.Read(path);
        Assert.Equal((DiscreteVpNoise.ScaledLinearName, 0.00085, 0.012),
            (preconditioning.Noise, preconditioning.BetaStart, preconditioning.BetaEnd));
        Assert.Contains("latent consistency", Assert.Single(remarks), StringComparison.Ordinal);
    }
}
