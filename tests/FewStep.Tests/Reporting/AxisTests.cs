using CsCheck;
using FewStep.Reporting.Charts;

namespace FewStep.Tests.Reporting;

public class AxisTests
{
    private static readonly Gen<(double Low, double High)> LogDomains =
        Gen.Select(Gen.Double[-12, 8], Gen.Double[0.001, 14]).Select((low, decades) => (Math.Pow(10, low), Math.Pow(10, low + decades)));

    [Fact]
    public void Log_ticks_are_few_ordered_within_the_domain_and_labelled_with_their_value() =>
        Gen.Select(LogDomains, Gen.Int[3, 14]).Sample((domain, most) => Check(new LogAxis(domain.Low, domain.High, 0, 500), most));

    [Fact]
    public void Linear_ticks_are_few_ordered_within_the_domain_and_labelled_with_their_value() =>
        Gen.Select(Gen.Double[-1e6, 1e6], Gen.Double[-3, 6], Gen.Int[3, 14])
            .Sample((low, size, most) => Check(new LinearAxis(low, low + Math.Pow(10, size), 0, 500), most));

    [Fact]
    public void Linear_ticks_are_equally_spaced() =>
        Gen.Select(Gen.Double[-1000, 1000], Gen.Double[-2, 4]).Sample((low, size) =>
        {
            double[] values = [.. new LinearAxis(low, low + Math.Pow(10, size), 0, 1).Ticks(6).Select(t => t.Value)];
            double step = values[1] - values[0];
            Assert.All(values.Zip(values.Skip(1)), p => Assert.Equal(step, p.Second - p.First, step * 1e-6));
        });

    [Fact]
    public void Labels_of_whole_decades_are_powers_of_ten()
    {
        string[] labels = [.. new LogAxis(0.0015, 95, 0, 1).Ticks(8).Where(t => t.IsMajor).Select(t => t.Label)];
        Assert.Equal(["0.01", "0.1", "1", "10"], labels);
    }

    [Fact]
    public void Positions_grow_with_values_and_stay_within_the_axis() =>
        Gen.Select(LogDomains, Gen.Double[0, 1], Gen.Double[0, 1]).Sample((domain, a, b) =>
        {
            var axis = new LogAxis(domain.Low, domain.High, 400, 20);
            double At(double t) => axis.Position(domain.Low * Math.Pow(domain.High / domain.Low, t));
            Assert.InRange(At(a), 20, 400);
            Assert.True(a < b ? At(a) >= At(b) : At(a) <= At(b));
        });

    [Fact]
    public void Equal_ratios_have_equal_lengths()
    {
        var axis = new LogAxis(0.01, 100, 0, 400);
        Assert.Equal(100, axis.Position(0.1), 1e-9);
        Assert.Equal(300, axis.Position(10), 1e-9);
        Assert.True(double.IsNaN(axis.Position(0)));
        Assert.True(double.IsNaN(axis.Position(double.NaN)));
    }

    [Theory]
    [InlineData(new double[0])]
    [InlineData(new[] { 3.0 })]
    [InlineData(new[] { 3.0, 3.0, double.NaN })]
    [InlineData(new[] { 0.0, -1.0, double.PositiveInfinity })]
    [InlineData(new[] { double.Epsilon, double.MaxValue })]
    public void Axes_cover_whatever_they_are_given(double[] values)
    {
        Check(LogAxis.Covering(values, 0, 100), 5);
        Check(LinearAxis.Covering(values, 0, 100), 5);
    }

    [Fact]
    public void Labels_are_the_same_in_every_culture() =>
        Assert.Single(Cultures.All.Select(c => Cultures.In(c, () => string.Join(
            ' ', new LinearAxis(-1500, 0.5, 0, 1).Ticks(5).Concat(new LogAxis(0.01, 3, 0, 1).Ticks(5)).Select(t => t.Label)))).Distinct());

    [Fact]
    public void Chosen_labels_never_touch() =>
        Gen.Double[0, 300].List[1, 25].Sample(positions =>
        {
            (double, string)[] labels = [.. positions.Select(p => (p, NumberText(p)))];
            int[] shown = [.. TextLabels.Choose(labels, 11).OrderBy(i => positions[i])];
            Assert.NotEmpty(shown);
            Assert.All(shown.Zip(shown.Skip(1)), p => Assert.True(
                positions[p.Second] - positions[p.First]
                    > (TextLabels.Width(labels[p.First].Item2, 11) + TextLabels.Width(labels[p.Second].Item2, 11)) / 2));
        });

    [Fact]
    public void Long_names_are_cut_to_their_room()
    {
        Assert.Equal("short", TextLabels.Fit("short", 100, 12));
        string cut = TextLabels.Fit(new string('x', 500), 100, 12);
        Assert.EndsWith("…", cut);
        Assert.True(TextLabels.Width(cut, 12) <= 100);
    }

    private static string NumberText(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);

    private static void Check(Axis axis, int most)
    {
        IReadOnlyList<AxisTick> ticks = axis.Ticks(most);
        AxisTick[] major = [.. ticks.Where(t => t.IsMajor)];
        double slack = 1e-9 * (axis.High - axis.Low);
        Assert.InRange(major.Length, 2, Math.Max(5, most) + 1);
        Assert.All(ticks, t => Assert.InRange(t.Value, axis.Low - slack, axis.High + slack));
        Assert.All(ticks.Zip(ticks.Skip(1)), p => Assert.True(p.First.Value < p.Second.Value));
        Assert.Equal(major.Length, major.Select(t => t.Label).Distinct().Count());
        Assert.All(major,
            t => Assert.Equal(t.Value, double.Parse(t.Label, CultureInfo.InvariantCulture), Math.Max(slack, 1e-6 * Math.Abs(t.Value))));
    }
}
