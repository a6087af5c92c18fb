using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Runtime;
using FewStep.Sampling;
using FewStep.Solvers;
using static TorchSharp.torch;

namespace FewStep.Tests.Solvers;

public class SolverOrderTests
{
    private static readonly ImageShape Shape = new(2, 2, 2);

    public static TheoryData<string> Names => [.. SolverCatalog.Names];

    [Theory]
    [MemberData(nameof(Names))]
    public void Gaussian_data_end_at_the_closed_form_solution(string name)
    {
        // x(s) = m + (x(s_0) - m) sqrt((c^2 + s^2) / (c^2 + s_0^2))
        using var scope = NewDisposeScope();
        const double m = 0.3, c = 0.5, s0 = 80, sN = 0.002;
        using var denoiser = GaussianMixtureDenoiser.Gaussian(Shape, m, c);
        var latents = Latents.Draw([1, 2, 3], Shape, float64);
        var exact = m + (latents * s0 - m) * Math.Sqrt((c * c + sN * sN) / (c * c + s0 * s0));
        var solver = SolverCatalog.Find(name);
        double coarse = Error(100), fine = Error(200);
        Assert.True(fine < (solver.Order == 1 ? 2e-2 : 1e-3), $"{fine}");
        Assert.Equal(solver.Order, Math.Log2(coarse / fine), 0.15);

        double Error(int steps)
        {
            var sampler = new Sampler(denoiser, solver, StandardSchedules.Create("karras", steps, sN, s0));
            return (sampler.Sample(latents).Samples - exact).abs().max().item<double>();
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void On_a_mixture_the_error_falls_with_the_solvers_order(string name)
    {
        using var scope = NewDisposeScope();
        using var denoiser = new GaussianMixtureDenoiser(new GaussianMixture(
            Shape,
            [0.6, 0.4],
            [[0.5, -0.3, 0.2, 0, 0.4, -0.6, 0.1, 0.3], [-0.5, 0.6, 0, -0.2, -0.3, 0.2, 0.5, -0.1]],
            [0.4, 0.6]));
        var latents = Latents.Draw([.. Enumerable.Range(0, 16).Select(i => (long)i)], Shape, float64);
        var truth = Solve(new HeunSolver(), 4000);
        var solver = SolverCatalog.Find(name);
        double coarse = (Solve(solver, 160) - truth).square().mean().sqrt().item<double>();
        double fine = (Solve(solver, 320) - truth).square().mean().sqrt().item<double>();
        Assert.Equal(solver.Order, Math.Log2(coarse / fine), 0.15);

        Tensor Solve(ISolver solver, int steps) =>
            new Sampler(denoiser, solver, StandardSchedules.Create("karras", steps, 0.002, 80)).Sample(latents).Samples;
    }

    [Fact]
    public void Solvers_are_found_by_name()
    {
        Assert.Equal("euler", SolverCatalog.Find("ddim").Name);
        Assert.Equal(SolverCatalog.Names.Count, SolverCatalog.Names.Distinct().Count());
        Assert.All(SolverCatalog.All, s => Assert.NotEmpty(s.Description));
        var e = Assert.Throws<InvalidInputException>(() => SolverCatalog.Find("rk\n45"));
        Assert.Contains("Choose one of euler, heun", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }
}
