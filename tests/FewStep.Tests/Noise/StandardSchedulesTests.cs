using CsCheck;
using FewStep.Noise;
using FewStep.Tests.Solvers;

namespace FewStep.Tests.Noise;

public class StandardSchedulesTests
{
    public static TheoryData<string> Names => [.. StandardSchedules.Names, "karras:1", "karras:5.5", "flow:3", "flow:0.5", "beta:0.5:0.7",
        "beta-t:2:1", "gits-table:0.8", "gits-table:1.5"];

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
        AssertEven(StandardSchedules.Create("flow", 7, 0.002, 80), s => s / (1 + s));
        // SD3: t' = shift t / (1 + (shift - 1) t), here solved for t.
        AssertEven(StandardSchedules.Create("flow:3", 7, 0.002, 80), s => s / (3 + s));
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
    [InlineData("flow:0", 5, 0.002, 80, "shift")]
    [InlineData("beta:0.6", 5, 0.002, 80, "2 numbers")]
    [InlineData("beta:0:1", 5, 0.002, 80, "alpha")]
    [InlineData("beta-t:1,99", 5, 0.002, 80, "beta of")]
    [InlineData("exponential:2", 5, 0.002, 80, "takes no number")]
    [InlineData("ays-sd15:10", 5, 0.002, 80, "takes no number")]
    [InlineData("gits-table:1.22", 5, 0.002, 80, "in steps of 0.05")]
    [InlineData("gits-table:1.55", 5, 0.002, 80, "0.8 to 1.5")]
    [InlineData("gits-table:1e300", 5, 0.002, 80, "0.8 to 1.5")]
    [InlineData("x\ny", 5, 0.002, 80, "Choose one of")]
    public void Impossible_schedules_get_one_line(string name, int steps, double min, double max, string rule)
    {
        var e = Assert.Throws<InvalidInputException>(() => StandardSchedules.Create(name, steps, min, max));
        Assert.Contains(rule, e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', e.Message);
    }

    [Fact]
    public void Karras_is_equation_5()
    {
        double a = Math.Pow(80, 1 / 5.0), b = Math.Pow(0.002, 1 / 5.0);
        AssertClose([80, Math.Pow(a + ((b - a) / 3), 5), Math.Pow(a + (2 * (b - a) / 3), 5), 0.002],
            StandardSchedules.Create("karras:5", 3, 0.002, 80), 1e-13);
    }

    [Fact]
    public void Uniform_time_meets_stable_diffusions_published_levels()
    {
        // Discrete betas, scaled linear from 0.00085 to 0.012 over 1000 steps: the ends of NVIDIA's tables, to their three decimals.
        double product = 1;
        for (int k = 0; k < 1000; k++)
        {
            double root = Math.Sqrt(0.00085) + ((Math.Sqrt(0.012) - Math.Sqrt(0.00085)) * k / 999);
            product *= 1 - (root * root);
            if (k == 0)
                Assert.Equal(0.029, Math.Sqrt((1 - product) / product), 5e-4);
        }

        Assert.Equal(14.615, Math.Sqrt((1 - product) / product), 5e-4);

        // DDPM's betas, 0.0001 to 0.02 over 1000 steps, against the continuous time.
        product = 1;
        var schedule = StandardSchedules.Create("uniform-t", 2, new LinearVpNoise().Sigma(0.001), new LinearVpNoise().Sigma(0.999));
        for (int k = 0; k < 500; k++)
            product *= 1 - (0.0001 + (0.0199 * k / 999));
        Assert.Equal(1, schedule.Sigmas[1] / Math.Sqrt((1 - product) / product), 0.01);
    }

    [Fact]
    public void Exponential_is_log_snr_and_keeps_that_name()
    {
        Assert.Equal(StandardSchedules.Create("log-snr", 9, 0.01, 50).Sigmas, StandardSchedules.Create("exponential", 9, 0.01, 50).Sigmas);
        Assert.Equal("log-snr", StandardSchedules.Find("exponential").Name);
    }

    [Theory]
    [InlineData("beta", 0.6, 0.6)]
    [InlineData("beta:2:5", 2, 5)]
    [InlineData("beta-t:0.5,0.7", 0.5, 0.7)]
    public void Beta_puts_equal_probability_between_neighbours(string name, double alpha, double beta)
    {
        Func<double, double> coordinate = name.StartsWith("beta-t", StringComparison.Ordinal) ? new LinearVpNoise().Time : s => s;
        var schedule = StandardSchedules.Create(name, 8, 0.002, 80);
        double low = coordinate(0.002), high = coordinate(80);
        for (int i = 0; i <= 8; i++)
        {
            double share = Math.Clamp((coordinate(schedule.Sigmas[i]) - low) / (high - low), 0, 1);
            Assert.Equal(1 - (i / 8.0), MathNet.Numerics.Distributions.Beta.CDF(alpha, beta, share), 1e-9);
        }
    }

    [Fact]
    public void A_symmetric_beta_is_symmetric_and_the_arcsine_law_has_a_closed_form()
    {
        // Beta(1/2, 1/2) has quantiles sin^2(pi p / 2).
        var schedule = StandardSchedules.Create("beta:0.5:0.5", 6, 1, 11);
        for (int i = 0; i <= 6; i++)
        {
            Assert.Equal(1 + (10 * Math.Pow(Math.Cos(Math.PI * i / 12), 2)), schedule.Sigmas[i], 1e-9);
            Assert.Equal(12, schedule.Sigmas[i] + schedule.Sigmas[6 - i], 1e-9);
        }
    }

    [Theory]
    [InlineData("karras:7", "karras")]
    [InlineData("karras:5", "karras:5")]
    [InlineData("flow:1", "flow")]
    [InlineData("flow:3", "flow:3")]
    [InlineData("beta:0.6,0.6", "beta")]
    [InlineData("beta:0.5,0.7", "beta:0.5:0.7")]
    [InlineData("gits-table:1.20", "gits-table")]
    [InlineData("gits-table:0.80", "gits-table:0.8")]
    [InlineData("gits-table:1.15", "gits-table:1.15")]
    public void Names_are_canonical_and_can_be_read_back(string text, string name)
    {
        Assert.Equal(name, StandardSchedules.Find(text).Name);
        Assert.Equal(StandardSchedules.Create(text, 5, 0.01, 20).Sigmas, StandardSchedules.Create(name, 5, 0.01, 20).Sigmas);
    }

    private static void AssertEven(SamplingSchedule schedule, Func<double, double> coordinate)
    {
        double[] u = [.. schedule.Sigmas.Select(coordinate)];
        double step = (u[^1] - u[0]) / schedule.Steps;
        for (int i = 0; i < schedule.Steps; i++)
            Assert.Equal(1, (u[i + 1] - u[i]) / step, 1e-9);
    }

    private static void AssertClose(double[] expected, SamplingSchedule actual, double relative)
    {
        Assert.Equal(expected.Length, actual.Sigmas.Length);
        for (int i = 0; i < expected.Length; i++)
            Assert.Equal(1, actual.Sigmas[i] / expected[i], relative);
    }
}
