namespace FewStep.Reporting.Charts;

/// <summary>A mark on an axis.</summary>
/// <param name="Value">Where it stands.</param>
/// <param name="Label">Its text; empty for a minor tick.</param>
internal sealed record AxisTick(double Value, string Label)
{
    public bool IsMajor => Label.Length > 0;
}
