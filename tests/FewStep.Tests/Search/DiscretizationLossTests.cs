using CsCheck;
using FewStep.Noise;
using FewStep.Search;

namespace FewStep.Tests.Search;

public sealed class DiscretizationLossTests
{
    private static readonly Gen<SamplingSchedule> Schedules = Gen.Double[0.01, 1].Array[1, 12].Select(gaps =>
    {
        double total = gaps.Sum();
        double sum = 0;
        return new SamplingSchedule(gaps.Select(gap => sum += gap).Prepend(0).Select(part => 80 * Math.Pow(0.002 / 80, part / total)));
    });

    private static readonly Gen<double> Powers = Gen.OneOf(
        Gen.Const(-1.0), Gen.Const(-0.5), Gen.Const(0.0), Gen.Const(0.5), Gen.Const(1.0), Gen.Const(2.0));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void TheIntegralIsTheClosedFormOfGaussianData(double power)
    {
        var curve = new GaussianLossCurve(0.5);
        double exact = curve.Integral(power, 80, 0.002);
        Assert.Equal(1, DiscretizationLoss.Integral(curve, new PowerWeighting(power), 80, 0.002) / exact, 1e-13);
        double[] grid = FittedLossCurveTests.Grid(96);
        var fitted = new FittedLossCurve(grid, Array.ConvertAll(grid, curve.Loss));
        Assert.Equal(1, DiscretizationLoss.Integral(fitted, new PowerWeighting(power), 80, 0.002) / exact, 1e-4);
    }

    [Fact]
    public void JIsNeverBelowTheIntegral() =>
        Gen.Select(Schedules, Powers, Gen.Double[0.05, 3], Gen.Double[0, 1].Array[20]).Sample((schedule, power, c, rises) =>
        {
            var weighting = new PowerWeighting(power);
            var gaussian = new GaussianLossCurve(c);
            Assert.True(DiscretizationLoss.Bound(gaussian, weighting, schedule)
                >= -1e-12 * DiscretizationLoss.Evaluate(gaussian, weighting, schedule));
            double sum = 1e-3;
            var random = new FittedLossCurve(FittedLossCurveTests.Grid(20), rises.Select(r => sum += r).ToArray());
            Assert.True(
                DiscretizationLoss.Bound(random, weighting, schedule) >= -1e-7 * DiscretizationLoss.Evaluate(random, weighting, schedule));
        });

    [Fact]
    public void AnAddedSigmaNeverRaisesJ() =>
        Gen.Select(Schedules, Powers, Gen.Double[0.05, 0.95]).Sample((schedule, power, share) =>
        {
            var curve = new GaussianLossCurve(0.5);
            var weighting = new PowerWeighting(power);
            for (int i = 0; i < schedule.Steps; i++)
            {
                double between = schedule.Sigmas[i] * Math.Pow(schedule.Sigmas[i + 1] / schedule.Sigmas[i], share);
                var finer = new SamplingSchedule(schedule.Sigmas.Insert(i + 1, between));
                double coarse = DiscretizationLoss.Evaluate(curve, weighting, schedule);
                Assert.True(DiscretizationLoss.Evaluate(curve, weighting, finer) <= coarse * (1 + 1e-12));
            }
        });

    // Along the exact flow of Gaussian data x(s) is sqrt(c^2 + s^2) times one unit normal number, and so is everything linear in it:
    // mean-square errors are squared differences of factors.
    [Fact]
    public void ThePowerOneBoundHoldsForTheConvexCombinationOfTheExactPathsOutputs() =>
        Gen.Select(Schedules, Gen.Double[0.02, 5]).Sample((schedule, c) =>
        {
            double first = schedule.Sigmas[0];
            double last = schedule.Sigmas[^1];
            double combination = last / first * Spread(c, first);
            for (int i = 0; i < schedule.Steps; i++)
            {
                double weight = last * ((1 / schedule.Sigmas[i + 1]) - (1 / schedule.Sigmas[i]));
                combination += weight * c * c / Spread(c, schedule.Sigmas[i]);
            }

            double error = Math.Pow(combination - Spread(c, last), 2);
            double bound = last * (1 - (last / first))
                * DiscretizationLoss.Bound(new GaussianLossCurve(c), new PowerWeighting(1), schedule);
            Assert.True(error <= bound * (1 + 1e-9), $"error {error}, bound {bound}, c {c}, {schedule}");
        });

    [Fact]
    public void ThePowerZeroBoundHoldsForEulersOwnPath() =>
        Gen.Select(Schedules, Gen.Double[0.02, 5]).Sample((schedule, c) =>
        {
            double shares = 0;
            for (int i = 0; i < schedule.Steps; i++)
                shares += 1 - (schedule.Sigmas[i + 1] / schedule.Sigmas[i]);
            double error = EulerError(schedule, c);
            double bound = shares * DiscretizationLoss.Bound(new GaussianLossCurve(c), new PowerWeighting(0), schedule);
            Assert.True(error <= bound * (1 + 1e-9), $"error {error}, bound {bound}, c {c}, {schedule}");
        });

    // J less the integral without its scale s_N (1 - s_N / s_0): 500 times looser at s_N = 0.002. With the scale, Euler's own path exceeds
    // it.
    [Fact]
    public void ForImagesOfUnitRangeEulerStaysBelowTheUnscaledPowerOneBound() =>
        Gen.Select(Schedules, Gen.Double[0.02, 1]).Sample((schedule, c) =>
            Assert.InRange(
                EulerError(schedule, c), 0, DiscretizationLoss.Bound(new GaussianLossCurve(c), new PowerWeighting(1), schedule)));

    private static double Spread(double c, double s) => Math.Sqrt((c * c) + (s * s));

    private static double EulerError(SamplingSchedule schedule, double c)
    {
        double x = Spread(c, schedule.Sigmas[0]);
        for (int i = 0; i < schedule.Steps; i++)
        {
            double s = schedule.Sigmas[i];
            double r = schedule.Sigmas[i + 1] / s;
            x = (r * x) + ((1 - r) * (c * c / ((c * c) + (s * s))) * x);
        }

        return Math.Pow(x - Spread(c, schedule.Sigmas[^1]), 2);
    }
}
