using CsCheck;
using FewStep.Denoising;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tests.Solvers;

public class EulerSolverTests
{
    private static readonly ImageShape Shape = new(1, 2, 2);

    [Fact]
    public void The_end_is_the_convex_combination_of_start_and_outputs()
    {
        // x_N = (s_N / s_0) x_0 + sum_i w_i D_i, w_i = s_N (1 / s_(i+1) - 1 / s_i)
        using var outer = NewDisposeScope();
        using var denoiser = new GaussianMixtureDenoiser(
            new GaussianMixture(Shape, [0.5, 0.5], [[1, 0, -1, 0.5], [-1, 0.3, 0, -0.2]], [0.2, 0.3]));
        var latents = Latents.Draw([4, 9], Shape, float64);
        Schedules.Sample(sigmas =>
        {
            using var scope = NewDisposeScope();
            using var trajectory = new Trajectory();
            var sampler = new SamplingLoop(denoiser, new EulerSolver(), new SamplingSchedule(sigmas));
            var end = sampler.Sample(latents, observe: trajectory.Record).Samples;
            double s0 = sigmas[0], sN = sigmas[^1], sum = 0;
            var combined = trajectory.States[0] * (sN / s0);
            for (int i = 0; i < sampler.Schedule.Steps; i++)
            {
                double w = sN * (1 / sigmas[i + 1] - 1 / sigmas[i]);
                Assert.True(w >= 0);
                combined += w * trajectory.Denoised[i];
                sum += w;
            }

            Assert.Equal(1 - sN / s0, sum, 1e-12);
            Assert.True(allclose(combined, end, 1e-11, 1e-11));
        }, iter: 100, threads: 1);
    }

    private static readonly Gen<double[]> Schedules = Gen.Select(Gen.Double[-6, 0], Gen.Double[1e-3, 3].Array[1, 15]).Select((low, steps) =>
    {
        var logs = new List<double> { low };
        foreach (double step in steps)
            logs.Add(logs[^1] + step);
        logs.Reverse();
        return logs.Select(Math.Exp).ToArray();
    });
}
