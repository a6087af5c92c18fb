using FewStep.Noise;

namespace FewStep.Tests.Noise;

public class NoiseScheduleTests
{
    public static TheoryData<NoiseSchedule> All => [new LinearVpNoise(), new CosineVpNoise()];

    [Theory]
    [MemberData(nameof(All))]
    public void Time_inverts_sigma_to_rounding(NoiseSchedule noise)
    {
        foreach (double sigma in new[] { 1e-4, 0.002, 0.03, 0.5, 1, 7, 80, 150 })
            Assert.Equal(1, noise.Sigma(noise.Time(sigma)) / sigma, 1e-9);
        Assert.Equal(0, noise.Time(0), 1e-15);
        Assert.Equal(0, noise.Sigma(0), 1e-15);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Sigma_grows(NoiseSchedule noise)
    {
        double[] sigmas = [.. Enumerable.Range(0, 100).Select(i => noise.Sigma(i / 100.0))];
        Assert.All(sigmas.Zip(sigmas.Skip(1)), pair => Assert.True(pair.First < pair.Second));
    }

    [Fact]
    public void Many_times_and_levels_at_once_are_those_of_each()
    {
        using var scope = NewDisposeScope();
        var noise = new LinearVpNoise();
        double[] times = [1e-4, 0.01, 0.3, 0.9];
        double[] sigmas = [.. times.Select(noise.Sigma)];
        Assert.True(noise.Sigmas(tensor(times)).allclose(tensor(sigmas), rtol: 1e-9));
        Assert.True(noise.Times(tensor(sigmas)).allclose(tensor(times), rtol: 1e-9));
    }

    [Fact]
    public void Small_sigmas_keep_their_digits()
    {
        // First order in t: sigma^2 = beta_min t, and sigma^2 = 2 tan(a) (b - a).
        double t = 1e-13;
        Assert.Equal(1, new LinearVpNoise().Sigma(t) / Math.Sqrt(0.1 * t), 1e-9);
        double a = 0.008 / 1.008 * Math.PI / 2, slope = Math.PI / 2 / 1.008;
        Assert.Equal(1, new CosineVpNoise().Sigma(t) / Math.Sqrt(2 * Math.Tan(a) * slope * t), 1e-3);
    }

    [Fact]
    public void Linear_beta_has_the_textbook_end_and_can_join_two_levels()
    {
        Assert.Equal(Math.Sqrt(Math.Exp(10.05) - 1), new LinearVpNoise().Sigma(1), 1e-9);
        var between = LinearVpNoise.Between(0.002, 80);
        Assert.Equal(80, between.Sigma(1), 1e-10);
        Assert.Equal(0.002, between.Sigma(1e-3), 1e-12);
        Assert.Equal(1e-3, between.Time(0.002), 1e-12);
        Assert.InRange(between.MinimumTime, 1e-5, 1e-3); // beta_min is negative here
        Assert.Equal(between.MinimumTime, between.Time(0), 1e-15);
        Assert.Equal(0, between.Sigma(between.MinimumTime), 1e-9);
        Assert.Throws<ArgumentOutOfRangeException>(() => between.Sigma(0));
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Impossible_arguments_are_refused(NoiseSchedule noise)
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => noise.Sigma(-1e-9));
        Assert.Throws<ArgumentOutOfRangeException>(() => noise.Sigma(double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => noise.Sigma(noise.MaximumTime));
        Assert.Throws<ArgumentOutOfRangeException>(() => noise.Time(-1));
        Assert.Throws<ArgumentOutOfRangeException>(() => noise.Time(double.PositiveInfinity));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LinearVpNoise(0.1, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LinearVpNoise(double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => LinearVpNoise.Between(80, 0.002));
        Assert.Throws<ArgumentOutOfRangeException>(() => new CosineVpNoise(-1));
    }
}
