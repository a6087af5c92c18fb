using CsCheck;
using FewStep.Noise;
using FewStep.Runtime;
using FewStep.Tests.Solvers;

namespace FewStep.Tests.Noise;

public class StandardSchedulesTests
{
    public static TheoryData<string> Names => [.. StandardSchedules.Names, "karras:1", "karras:5.5"];

    [Theory]
    [MemberData(nameof(Names))]
    public void Ends_are_exact_and_sigmas_decrease_for_any_range(string name)
    {
        Gen.Select(Gen.Int[1, 60], Gen.Double[-4, 0], Gen.Double[0.1, 3]).Sample((steps, low, high) =>
        {
            double min = Math.Exp(low * 2), max = min * Math.Exp(high * 3);
            var schedule = StandardSchedules.Create(name, steps, min, max);
            return schedule.Steps == steps && schedule.Sigmas[0] == max && schedule.Sigmas[^1] == min;
        }, iter: 300);
    }

    [Theory]
    [InlineData("karras", 0)]
    [InlineData("log-snr", 1)]
    public void The_formulas_are_those_of_the_reference(string name, int index)
    {
        var golden = SolverGolden.Read().Cases[index].Schedule;
        var schedule = StandardSchedules.Create(name, golden.Steps, 0.002, 80);
        AssertClose(golden.Sigmas, schedule, 1e-13);
    }

    [Fact]
    public void Uniform_time_between_two_levels_is_that_of_the_reference()
    {
        var golden = SolverGolden.Read().Cases[2].Schedule;
        var schedule = StandardSchedule.UniformTime("edm-vp", LinearVpNoise.Between(0.002, 80)).Create(golden.Steps, 0.002, 80);
        AssertClose(golden.Sigmas, schedule, 1e-10);
    }

    [Fact]
    public void Times_are_evenly_spaced_in_their_coordinate()
    {
        var linear = new LinearVpNoise();
        AssertEven(StandardSchedules.Create("uniform-t", 7, 0.002, 80), linear.Time);
        AssertEven(StandardSchedules.Create("quadratic-t", 7, 0.002, 80), s => Math.Sqrt(linear.Time(s)));
        AssertEven(StandardSchedules.Create("cosine", 7, 0.002, 80), new CosineVpNoise().Time);
        AssertEven(StandardSchedules.Create("karras:1", 7, 0.002, 80), s => s);
        AssertEven(StandardSchedules.Create("karras:3", 7, 0.002, 80), Math.Cbrt);
    }

    [Theory]
    [InlineData("karras", 0, 0.002, 80, "1 to")]
    [InlineData("karras", -3, 0.002, 80, "1 to")]
    [InlineData("karras", int.MaxValue, 0.002, 80, "1 to")]
    [InlineData("karras", 5, 0, 80, "sigma_min")]
    [InlineData("karras", 5, 80, 80, "sigma_min")]
    [InlineData("karras", 5, double.NaN, 80, "sigma_min")]
    [InlineData("karras", 5, 0.002, double.PositiveInfinity, "sigma_max")]
    [InlineData("karras:0", 5, 0.002, 80, "rho")]
    [InlineData("karras:NaN", 5, 0.002, 80, "number")]
    [InlineData("karras:", 5, 0.002, 80, "number")]
    [InlineData("karras:1,5", 5, 0.002, 80, "number")]
    [InlineData("log-snr:2", 5, 0.002, 80, "takes no number")]
    [InlineData("Karras", 5, 0.002, 80, "Choose one of karras, log-snr, uniform-t, quadratic-t, cosine")]
    [InlineData("x\ny", 5, 0.002, 80, "Choose one of")]
    public void Impossible_schedules_get_one_line(string name, int steps, double min, double max, string rule)
    {
        var e = Assert.Throws<InvalidInputException>(() => StandardSchedules.Create(name, steps, min, max));
        Assert.Contains(rule, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    private static void AssertEven(SamplingSchedule schedule, Func<double, double> coordinate)
    {
        double[] u = [.. schedule.Sigmas.Select(coordinate)];
        double step = (u[^1] - u[0]) / schedule.Steps;
        for (int i = 0; i < schedule.Steps; i++)
        {
            Assert.Equal(1, (u[i + 1] - u[i]) / step, 1e-9);
        }
    }

    private static void AssertClose(double[] expected, SamplingSchedule actual, double relative)
    {
        Assert.Equal(expected.Length, actual.Sigmas.Length);
        for (int i = 0; i < expected.Length; i++)
        {
            Assert.Equal(1, actual.Sigmas[i] / expected[i], relative);
        }
    }
}
