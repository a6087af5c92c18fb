using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tuning;

namespace FewStep.Tests.Tuning;

public sealed class IntervalResidualsTests
{
    private static readonly SamplingSchedule Schedule = new([80, 5, 0.8, 0.1]);

    // The untrained network is the denoiser of N(0, c^2 I), so a step's error is the latent's size times what Euler errs on the factor.
    [Fact]
    public void Each_intervals_error_is_that_of_its_own_step_from_the_teachers_state()
    {
        using var model = TinyModel.Create();
        var options = new TuningOptions { HeldOutCount = 12, Batch = 5 };
        var teacher = new TeacherPath(model, Schedule, SolverCatalog.Find("ipndm:3"), 200);
        double[] found = IntervalResiduals.Measure(
            model, new Sampler(Schedule, new EulerSolver()), teacher, options, TestContext.Current.CancellationToken);
        using var latents = Latents.Draw(SeedPlan.HeldOut(0, 12), TinyModel.Shape);
        double size = latents.square().mean().item<float>(), c2 = TinyModel.SigmaData * TinyModel.SigmaData;
        for (int i = 0; i < 3; i++)
        {
            double s = Schedule.Sigmas[i], next = Schedule.Sigmas[i + 1], r = next / s;
            double state = 80 * Math.Sqrt((c2 + (s * s)) / (c2 + 6400)), exact = Math.Sqrt((c2 + (next * next)) / (c2 + (s * s)));
            double error = state * (r + ((1 - r) * c2 / (c2 + (s * s))) - exact);
            Assert.Equal(size * error * error, found[i], 0.02 * size * error * error);
        }
    }

    [Fact]
    public void Equal_errors_move_nothing() => Assert.Equal(Schedule, IntervalResiduals.Equalized(Schedule, [0.2, 0.2, 0.2]), Near);

    [Fact]
    public void A_large_error_shortens_its_interval_by_half_of_what_would_even_it_out()
    {
        var moved = IntervalResiduals.Equalized(Schedule, [4, 1, 0]);
        // Errors 2, 1, 0: a third of them lies before half of the first interval, two thirds at its end.
        double half = (Math.Log(80) + Math.Log(5)) / 2;
        Assert.Equal(Math.Exp((half + Math.Log(5)) / 2), moved.Sigmas[1], 1e-9);
        Assert.Equal(Math.Exp((Math.Log(5) + Math.Log(0.8)) / 2), moved.Sigmas[2], 1e-9);
        Assert.Equal((80, 0.1), (moved.Sigmas[0], moved.Sigmas[^1]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(double.NaN)]
    [InlineData(double.PositiveInfinity)]
    public void Errors_that_say_nothing_move_nothing(double error)
        => Assert.Equal(Schedule, IntervalResiduals.Equalized(Schedule, [error, error, error]));

    private static bool Near(SamplingSchedule a, SamplingSchedule b)
        => a.Sigmas.Zip(b.Sigmas).All(p => Math.Abs((p.First / p.Second) - 1) < 1e-12);
}
