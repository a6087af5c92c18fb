using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using TorchSharp;

namespace FewStep.Tests.Sampling;

public sealed class StochasticChurnTests : IDisposable
{
    private static readonly ImageShape Shape = new(1, 4, 4);
    private static readonly SamplingSchedule Schedule = StandardSchedules.Create("karras", 8, 0.002, 80);

    private readonly GaussianMixtureDenoiser _gaussian = GaussianMixtureDenoiser.Gaussian(Shape, 0.3, 0.5);

    public void Dispose() => _gaussian.Dispose();

    [Theory]
    [InlineData("euler")]
    [InlineData("heun")]
    [InlineData("dpm2")]
    public void No_churn_is_the_plain_run_bit_for_bit(string name)
    {
        using var scope = NewDisposeScope();
        var latents = Latents.Draw([1, 2], Shape);
        var plain = new SamplingLoop(_gaussian, SolverCatalog.Find(name), Schedule).Sample(latents).Samples;
        foreach (var churn in new[]
        {
            new StochasticChurn(),
            new StochasticChurn { Amount = 10, MaximumSigma = 1e-4 },
            new StochasticChurn { Amount = 10, MinimumSigma = 81 }
        })
        {
            var sampler = new SamplingLoop(_gaussian, SolverCatalog.Find(name), Schedule, new SampleOptions { Churn = churn });
            Assert.True(plain.Equals(sampler.SampleSeeded(latents, [1L, 2L]).Samples));
        }
    }

    [Theory]
    [InlineData("euler", 0.02)]
    [InlineData("heun", 0.01)]
    public void Gaussian_data_keep_their_mean_and_variance(string name, double tolerance)
    {
        // Raising the noise and stepping down both keep the marginal; an error in either would grow over the steps. 25,600 values: three
        // standard errors are 0.01.
        using var scope = NewDisposeScope();
        using var large = GaussianMixtureDenoiser.Gaussian(new ImageShape(1, 16, 16), 0.3, 0.5);
        var options = new SampleOptions { Churn = new StochasticChurn { Amount = 60 } };
        var sampler = new SamplingLoop(
            large, SolverCatalog.Find(name), StandardSchedules.Create("karras", name == "euler" ? 600 : 100, 0.002, 80), options);
        long[] seeds = [.. Enumerable.Range(0, 100).Select(i => (long)i)];
        var samples = sampler.SampleSeeded(Latents.Draw(seeds, large.Shape, float64), seeds).Samples;
        Assert.Equal(0.3, samples.mean().item<double>(), tolerance);
        Assert.Equal(0.5, samples.std().item<double>(), tolerance);
        var plain = new SamplingLoop(large, sampler.Solver, sampler.Schedule).Sample(Latents.Draw(seeds, large.Shape, float64)).Samples;
        double correlation = ((samples - 0.3) * (plain - 0.3)).mean().item<double>() / 0.25;
        Assert.True(correlation < 0.9, $"The noise made no difference: {correlation}");
    }

    [Fact]
    public void One_step_follows_algorithm_2()
    {
        // gamma = min(S_churn / N, sqrt 2 - 1); x^ = x + sqrt(s^2 - t^2) S_noise e; Euler's step from s to the next level.
        using var scope = NewDisposeScope();
        var latents = Latents.Draw([7], Shape, float64);
        var schedule = new SamplingSchedule([2, 1]);
        using var generator = new Generator(7);
        var first = randn(Shape.Batch(1), dtype: float32, generator: generator);
        Assert.True(allclose(first.to(float64), latents));
        var noise = randn(Shape.Batch(1), dtype: float32, generator: generator).to(float64); // goes on where the latents ended
        foreach (double amount in new[] { 0.3, 9 })
        {
            double raised = 2 * (1 + Math.Min(amount, Math.Sqrt(2) - 1));
            var x = latents * 2 + 1.007 * Math.Sqrt(raised * raised - 4) * noise;
            var expected = x + (1 - raised) * (x - _gaussian.Denoise(x, tensor([raised], float64), null)) / raised;
            var points = new List<double>();
            var sampler = new SamplingLoop(_gaussian, new EulerSolver(), schedule,
                new SampleOptions { Churn = new StochasticChurn { Amount = amount, NoiseScale = 1.007 } });
            var samples = sampler.SampleSeeded(latents, [7L], observe: p => points.Add(p.Sigma)).Samples;
            Assert.True(allclose(expected, samples, 1e-13, 1e-13));
            Assert.Equal([raised, 1], points);
        }
    }

    [Fact]
    public void An_image_does_not_depend_on_its_batch()
    {
        using var scope = NewDisposeScope();
        var options = new SampleOptions { Churn = new StochasticChurn { Amount = 4, NoiseScale = 1.003 } };
        Tensor All(int size) => cat([.. new BatchSampler(new SamplingLoop(_gaussian, new HeunSolver(), Schedule, options))
        { BatchSize = size, Type = float64 }.Sample(SeedList.Parse("0-6,100")).Select(b => b.Images)]);
        var whole = All(64);
        Assert.True(allclose(whole, All(1), 1e-13, 1e-13));
        Assert.True(allclose(whole, All(3), 1e-13, 1e-13));
        Assert.False(allclose(whole[0], whole[1], 1e-2, 1e-2));
    }

    [Fact]
    public void No_tensor_is_left()
    {
        long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        using (var latents = Latents.Draw([1, 2], Shape))
        {
            new SamplingLoop(_gaussian, new HeunSolver(), Schedule, new SampleOptions { Churn = new StochasticChurn { Amount = 4 } })
                .SampleSeeded(latents, [1L, 2L]).Samples.Dispose();
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    [Theory]
    [InlineData("unipc:3", 1, 0, "does not go with solver unipc:3")]
    [InlineData("deis:2", 0, 0, "does not go with solver deis:2")]
    [InlineData("euler", -1, 0, "S_churn -1")]
    [InlineData("euler", double.NaN, 0, "S_churn NaN")]
    [InlineData("euler", 1, -1, "S_min -1")]
    [InlineData("euler", 1, 99, "S_max 50")]
    public void What_makes_no_sense_is_refused(string solver, double amount, double minimum, string fragment)
    {
        var options = new SampleOptions { Churn = new StochasticChurn { Amount = amount, MinimumSigma = minimum, MaximumSigma = 50 } };
        var e = Assert.Throws<InvalidInputException>(() => new SamplingLoop(_gaussian, SolverCatalog.Find(solver), Schedule, options));
        Assert.Contains(fragment, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_seeds_it_is_a_programmer_error()
    {
        using var latents = Latents.Draw([1, 2], Shape);
        var sampler = new SamplingLoop(
            _gaussian, new EulerSolver(), Schedule, new SampleOptions { Churn = new StochasticChurn { Amount = 4 } });
        Assert.Throws<ArgumentException>(() => sampler.Sample(latents));
        Assert.Throws<ArgumentException>(() => sampler.SampleSeeded(latents, [1L]));
    }
}
