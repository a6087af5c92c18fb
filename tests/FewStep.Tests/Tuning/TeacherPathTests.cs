using FewStep.Denoising;
using FewStep.Tuning;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tests.Tuning;

public sealed class TeacherPathTests : IDisposable
{
    private static readonly ImageShape Shape = new(1, 2, 2);
    private static readonly SamplingSchedule Schedule = new([20, 4, 0.7, 0.05]);
    private readonly GaussianMixtureDenoiser _mixture = new(
        new GaussianMixture(Shape, [0.5, 0.5], [[1, 0, -1, 0.5], [-1, 0.3, 0, -0.2]], [0.4, 0.5]));

    public void Dispose() => _mixture.Dispose();

    [Fact]
    public void It_visits_every_sigma_of_the_schedule_exactly()
    {
        var fine = new TeacherPath(_mixture, Schedule, new HeunSolver(), 3).Fine;
        Assert.Equal(9, fine.Steps);
        Assert.Equal(Schedule.Sigmas, fine.Sigmas.Where((_, i) => i % 3 == 0));
    }

    [Fact]
    public void Its_states_approach_the_exact_ones_with_the_square_of_the_substeps()
    {
        using var scope = NewDisposeScope();
        var latents = Latents.Draw([1, 2, 3, 4], Shape, ScalarType.Float64);
        var exact = new TeacherPath(_mixture, Schedule, new HeunSolver(), 400).Solve(latents, null, TestContext.Current.CancellationToken);
        double[] Errors(int substeps)
        {
            var states = new TeacherPath(_mixture, Schedule, new HeunSolver(), substeps)
                .Solve(latents, null, TestContext.Current.CancellationToken);
            return [.. states.Zip(exact, (a, b) => (a - b).norm().item<double>())];
        }

        var (coarse, fine) = (Errors(20), Errors(40));
        Assert.Equal(4, coarse.Length);
        Assert.Equal(0, coarse[0]);
        for (int i = 1; i < coarse.Length; i++)
            Assert.InRange(Math.Log2(coarse[i] / fine[i]), 1.7, 2.3);
    }

    [Fact]
    public void With_the_terminal_rule_zero_it_goes_on_to_the_models_smallest_sigma()
    {
        using var scope = NewDisposeScope();
        var schedule = new SamplingSchedule(Schedule.Sigmas, ScheduleTerminal.Zero);
        var teacher = new TeacherPath(_mixture, schedule, new HeunSolver(), 8);
        Assert.Equal(_mixture.SigmaMin, teacher.Fine.Sigmas[^1]);
        var latents = Latents.Draw([1, 2, 3, 4], Shape, ScalarType.Float64);
        var states = teacher.Solve(latents, null, TestContext.Current.CancellationToken);
        var open = new TeacherPath(_mixture, Schedule, new HeunSolver(), 8).Solve(latents, null, TestContext.Current.CancellationToken);
        Assert.Equal(5, states.Length);
        Assert.True(states[3].Equals(open[3]));
        var exact = new SamplingLoop(_mixture, new HeunSolver(),
            StandardSchedule.Karras().Create(500, _mixture.SigmaMin, 20, ScheduleTerminal.Zero)).Sample(latents).Samples;
        var jump = _mixture.Denoise(open[3], full(1, 0.05, dtype: ScalarType.Float64), null);
        Assert.True((states[4] - exact).norm().item<double>() < 0.2 * (jump - exact).norm().item<double>() + 0.02);
        Assert.Equal([4L, 1, 2, 2], states[4].shape);
    }
}
