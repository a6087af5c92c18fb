using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class PropagatedOptimizerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    // One Euler step multiplies x by cos(a - b) cos(a) / cos(b) with a, b = arctan(s / c) at its ends, so equal angles lose least.
    [Theory]
    [InlineData(0.5)]
    [InlineData(2)]
    public void On_gaussian_data_the_nodes_are_equidistant_in_the_arctangent(double std)
    {
        using var denoiser = GaussianMixtureDenoiser.Gaussian(SearchModels.Shape, 0, std);
        var context = SearchModels.Context(denoiser, images: null);
        var options = new PropagatedOptions { Cells = 120, Latents = 2 };
        foreach (var result in new PropagatedOptimizer(context, options).Search(SearchModels.Request(2, 3, 6), cancellation: Token))
        {
            double first = Math.Atan(80 / std), last = Math.Atan(0.002 / std);
            int steps = result.Schedule.Steps;
            for (int i = 0; i <= steps; i++)
                Assert.Equal(first + ((last - first) * i / steps), Math.Atan(result.Schedule.Sigmas[i] / std), 1e-3 * first);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(10)]
    public void On_anisotropic_gaussian_data_the_schedule_is_near_the_best_there_is(int steps)
    {
        double[] stds = [1.2, 0.5, 0.2, 0.05];
        var denoiser = new DiagonalGaussianDenoiser(stds);
        var context = SearchModels.Context(denoiser, images: null);
        var found = new PropagatedOptimizer(context, new PropagatedOptions { Cells = 60, Latents = 64 })
            .Search(SearchModels.Request(steps), cancellation: Token)[0];
        double[] start = [.. found.Schedule.Sigmas.Select(s => -Math.Log(s))];
        var best = new DmNonUniformDescent(points => EulersError(stds, [.. points.Select(p => Math.Exp(-p))])).Descend(start, 500, Token);
        Assert.InRange(EulersError(stds, [.. found.Schedule.Sigmas]), best.Value, 1.03 * best.Value);
        Assert.True(EulersError(stds, [.. found.Schedule.Sigmas])
            < 0.7 * EulersError(stds, [.. StandardSchedule.Karras().Create(steps, 0.002, 80).Sigmas]));
    }

    [Fact]
    public void A_latent_takes_as_many_evaluations_as_there_are_cells_and_errors()
    {
        var denoiser = new CountingDenoiser(SearchModels.Mixture());
        var result = new PropagatedOptimizer(
            SearchModels.Context(denoiser, images: null), new PropagatedOptions { Cells = 10, Latents = 3 })
            .Search(SearchModels.Request(4), cancellation: Token)[0];
        Assert.Equal(3 * (20 + (10 * 9 / 2)), denoiser.Images);
        Assert.Equal(denoiser.Images, result.NetworkEvaluations);
        Assert.True(result.Loss.HalfWidth > 0);
    }

    // Mean square at the end of Euler's steps against the exact flow, of which each dimension is a number.
    private static double EulersError(double[] stds, double[] sigmas) => stds.Average(c =>
    {
        double exact = Math.Sqrt(((c * c) + (sigmas[^1] * sigmas[^1])) / ((c * c) + (sigmas[0] * sigmas[0])));
        double euler = sigmas.Zip(sigmas.Skip(1), (s, next) => 1 + ((next - s) * s / ((c * c) + (s * s)))).Aggregate((a, b) => a * b);
        return (euler - exact) * (euler - exact) * sigmas[0] * sigmas[0];
    });
}
