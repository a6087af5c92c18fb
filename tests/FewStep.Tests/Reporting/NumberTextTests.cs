using CsCheck;
using FewStep.Reporting;

namespace FewStep.Tests.Reporting;

public class NumberTextTests
{
    [Theory]
    [InlineData(0, "0")]
    [InlineData(5.4051, "5.41")]
    [InlineData(55.34, "55.3")]
    [InlineData(1234.5, "1,234")]
    [InlineData(0.00123456, "0.00123")]
    [InlineData(-0.5, "-0.500")]
    [InlineData(0.0000123, "1.23e-5")]
    [InlineData(12345678.0, "1.23e7")]
    [InlineData(double.NaN, "–")]
    [InlineData(double.NegativeInfinity, "-∞")]
    public void Three_digits_are_significant(double value, string expected) => Assert.Equal(expected, NumberText.Significant(value));

    [Theory]
    [InlineData(80, "80")]
    [InlineData(0.002, "0.002")]
    [InlineData(7.0512, "7.05")]
    [InlineData(100, "100")]
    [InlineData(1e-10, "1e-10")]
    public void Sigmas_have_no_trailing_zeros(double sigma, string expected) => Assert.Equal(expected, NumberText.Sigma(sigma));

    [Theory]
    [InlineData(5.405, 0.1234, "5.41 ± 0.12")]
    [InlineData(55.3, 1.96, "55.3 ± 2.0")]
    [InlineData(1234.6, 56.7, "1,235 ± 57")]
    [InlineData(8.1e-15, 1.23e-14, "8.1e-15 ± 1.2e-14")]
    [InlineData(5.4, 0.0, "5.40")]
    [InlineData(5.4, double.NaN, "5.40")]
    [InlineData(double.NaN, 1.0, "–")]
    public void Spread_decides_the_digits(double mean, double spread, string expected)
        => Assert.Equal(expected, NumberText.WithSpread(mean, spread));

    [Fact]
    public void An_interval_decides_the_digits_of_its_estimate()
    {
        Assert.Equal(("1.402", "[1.385, 1.419]"), NumberText.Estimate(1.40217, 1.38534, 1.41904));
        Assert.Equal(("0.123", null), NumberText.Estimate(0.123, null, null));
        Assert.Equal(("–", null), NumberText.Estimate(null, 1, 2));
        Assert.Equal(("0.123", null), NumberText.Estimate(0.123, 0.2, 0.1));
    }

    [Theory]
    [InlineData(0.42, "0.42 s")]
    [InlineData(12.34, "12.3 s")]
    [InlineData(59.96, "1 min 00 s")]
    [InlineData(245, "4 min 05 s")]
    [InlineData(3725, "1 h 02 min")]
    [InlineData(double.NaN, "–")]
    [InlineData(-1, "–")]
    public void Durations_are_for_people(double seconds, string expected) => Assert.Equal(expected, NumberText.Duration(seconds));

    [Fact]
    public void Evaluations_are_whole_where_they_are_whole()
    {
        Assert.Equal("4", NumberText.Evaluations(4));
        Assert.Equal("7.50", NumberText.Evaluations(7.5));
        Assert.Equal("0", NumberText.Fixed(-0.4, 0));
        Assert.Equal("12 %", NumberText.Percent(0.1234));
    }

    [Fact]
    public void What_is_shown_is_within_its_last_digit_of_the_value() =>
        Gen.Select(Gen.Double[-30, 30], Gen.Bool).Sample((exponent, negative) =>
        {
            double value = Math.Pow(10, exponent) * (negative ? -1 : 1);
            double shown = double.Parse(
                NumberText.Significant(value), NumberStyles.Float | NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
            Assert.Equal(value, shown, Math.Abs(value) * 0.0051);
        });

    [Fact]
    public void Text_is_the_same_in_every_culture() =>
        Assert.Single(Cultures.All.Select(
            c => Cultures.In(c, () => string.Join('|', NumberText.Significant(-1234.5), NumberText.Significant(1e-9), NumberText.WithSpread(
                -1.5, 0.25), NumberText.Count(-1234567), NumberText.Duration(0.5), NumberText.Percent(-0.05)))).Distinct());
}
