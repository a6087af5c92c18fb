namespace FewStep.Reporting.Charts;

/// <summary>A linear axis with ticks at the values that were measured, as far as their labels have room.</summary>
internal sealed class ListedAxis(
    IReadOnlyList<double> values, double low, double high, double start, double end) : LinearAxis(low, high, start, end)
{
    private const double Room = 26; // pixels from label to label

    public override IReadOnlyList<AxisTick> Ticks(int most)
    {
        var ticks = new List<AxisTick>();
        double last = double.NegativeInfinity;
        foreach (double value in values.Distinct().Order())
        {
            bool labelled = Position(value) - last >= Room;
            ticks.Add(new AxisTick(value, labelled ? NumberText.Evaluations(value) : ""));
            last = labelled ? Position(value) : last;
        }

        return ticks;
    }
}
