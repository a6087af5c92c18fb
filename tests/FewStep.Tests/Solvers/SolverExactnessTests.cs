using CsCheck;
using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tests.Solvers;

public class SolverExactnessTests
{
    private static readonly ImageShape Shape = new(1, 2, 2);

    private static readonly string[] Variants =
    [
        .. SolverCatalog.All.Where(s => !s.AddsNoise).Select(s => s.Name).Except(["deis:2", "deis:3", "deis:4", "ipndm-v:4"]),
        "dpm2:r=0.3", "dpmpp:2:predict=noise", "dpmpp:3:predict=noise", "dpmpp:3:lower-order-final=false:coefficients=exact",
        "dpmpp:3:predict=noise:coefficients=exact",
        "unipc:2:variant=bh1", "unipc:3:predict=noise:variant=bh1", "unipc:3:lower-order-final=false",
        "unipc:3:predict=noise:lower-order-final=false",
        "deis:2:coefficients=exact", "deis:3:coefficients=exact", "deis:4:coefficients=exact", "ipndm-v:3:coefficients=exact",
        "ipndm-v:4:coefficients=exact",
    ];

    public static TheoryData<string> Solvers => [.. Variants];

    [Theory]
    [MemberData(nameof(Solvers))]
    public void A_denoiser_that_always_says_m_is_solved_exactly(string text)
    {
        // x(s) = m + s z: data prediction sees the constant m, noise prediction the constant slope z.
        using var outer = NewDisposeScope();
        var m = tensor([0.3, -0.8, 0, 1.0], float64).view(1, 1, 2, 2);
        using var denoiser = GaussianMixture(m);
        var latents = Latents.Draw([4, 9], Shape, float64);
        var solver = SolverCatalog.Find(text);
        Schedules.Sample(sigmas =>
        {
            using var scope = NewDisposeScope();
            var result = new SamplingLoop(denoiser, solver, new SamplingSchedule(sigmas)).Sample(latents);
            double s0 = sigmas[0], sN = sigmas[^1];
            var exact = m + (latents * s0 - m) * (sN / s0);
            double error = (result.Samples - exact).abs().max().item<double>();
            Assert.True(error < 1e-9 * s0, $"{error} of {s0}");
            Assert.Equal(solver.EvaluationsPerStep * (sigmas.Length - 1), result.EvaluationsPerImage);
        }, iter: 30, threads: 1);
    }

    [Fact]
    public void Two_of_the_references_solvers_miss_even_that()
    {
        // Its iPNDM-v of order 4 has weights that do not sum to 1 on unequal steps; its integrals of DEIS are sums.
        using var scope = NewDisposeScope();
        var m = zeros(1, 1, 2, 2, float64);
        using var denoiser = GaussianMixture(m);
        var latents = Latents.Draw([4, 9], Shape, float64);
        var schedule = new SamplingSchedule([10, 6, 4, 3, 1, 0.9]);
        double Error(string text) => (new SamplingLoop(denoiser, SolverCatalog.Find(text), schedule).Sample(latents).Samples
            - latents * 0.9).abs().max().item<double>();
        Assert.InRange(Error("ipndm-v:4"), 1e-3, double.MaxValue);
        Assert.InRange(Error("deis:4"), 1e-9, 1e-2);
        Assert.InRange(Error("ipndm-v:4:coefficients=exact"), 0, 1e-12);
        Assert.InRange(Error("deis:4:coefficients=exact"), 0, 1e-12);
    }

    [Fact]
    public void With_equal_steps_all_adams_bashforth_weights_are_the_fixed_ones()
    {
        double[] sigmas = [5, 6, 7, 8];
        for (int order = 1; order <= 4; order++)
        {
            double[] past = sigmas[..order], expected = AdamsBashforth.Fixed(past, 4);
            Assert.All(AdamsBashforth.Variable(past, 4).Zip(expected), p => Assert.Equal(p.Second, p.First, 1e-13));
            if (order < 4)
                Assert.All(AdamsBashforth.PublishedVariable(past, 4).Zip(expected), p => Assert.Equal(p.Second, p.First, 1e-13));
        }
    }

    [Fact]
    public void The_references_integrals_of_deis_are_right_to_a_ten_thousandth()
    {
        double[] sigmas = [4, 6, 9, 14];
        double[] exact = DeisWeights.Exact(sigmas, 2.5), published = DeisWeights.Published(sigmas, 2.5);
        Assert.Equal(-1.5, exact.Sum(), 1e-13);
        Assert.All(exact.Zip(published), p => Assert.InRange(Math.Abs(p.First - p.Second), 1e-9, 1e-3));
    }

    [Fact]
    public void Variable_adams_bashforth_weights_integrate_cubics()
    {
        double[] sigmas = [3, 3.7, 5.2, 5.4];
        double[] c = AdamsBashforth.Variable(sigmas, 2.2);
        for (int k = 0; k < 4; k++)
        {
            double exact = (Math.Pow(2.2, k + 1) - Math.Pow(3, k + 1)) / (k + 1);
            Assert.Equal(exact, c.Zip(sigmas).Sum(p => p.First * Math.Pow(p.Second, k)), 1e-11);
        }
    }

    [Fact]
    public void Phi_functions_are_their_integrals_on_both_sides_of_the_change_of_formula()
    {
        // phi_k(z) = integral over 0..1 of e^((1 - u) z) u^(k-1) / (k-1)!
        foreach (double z in new[] { -9.0, -1.0000001, -0.9999999, -1e-3, 0, 1e-9, 0.5, 0.9999999, 1.0000001, 6 })
        {
            double factorial = 1;
            for (int k = 1; k <= 4; k++)
            {
                factorial *= Math.Max(1, k - 1);
                double integral = LagrangeWeights.Integrate(
                    [0.0], u => u, u => Math.Exp((1 - u) * z) * Math.Pow(u, k - 1) / factorial, 0, 1)[0];
                Assert.Equal(1, PhiFunctions.Phi(k, z) / integral, 1e-12);
            }
        }
    }

    [Fact]
    public void Orders_rise_stay_and_fall()
    {
        Assert.Equal([1, 2, 3, 3, 2, 1], Enumerable.Range(0, 6).Select(i => MultistepSolver.OrderAt(i, 6, 3, FinalOrder.OneAtLastStep)));
        Assert.Equal([1, 2, 3, 3, 3, 3], Enumerable.Range(0, 6).Select(i => MultistepSolver.OrderAt(i, 6, 3, FinalOrder.Full)));
        Assert.Equal([1, 2, 3, 3, 3, 2], Enumerable.Range(0, 6).Select(i => MultistepSolver.OrderAt(i, 6, 3, FinalOrder.OneAtDenoise)));
        Assert.Equal([1, 2], Enumerable.Range(0, 2).Select(i => MultistepSolver.OrderAt(i, 2, 3, FinalOrder.OneAtLastStep)));
    }

    private static GaussianMixtureDenoiser GaussianMixture(Tensor m)
        => new(new GaussianMixture(Shape, [1], [m.data<double>().ToArray()], [0]));

    private static readonly Gen<double[]> Schedules = Gen.Select(Gen.Double[-4, 0], Gen.Double[0.05, 1.5].Array[1, 9])
        .Select((low, steps) =>
    {
        var logs = new List<double> { low };
        foreach (double step in steps)
            logs.Add(logs[^1] + step);
        logs.Reverse();
        return logs.Select(Math.Exp).ToArray();
    });
}
