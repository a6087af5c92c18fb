namespace FewStep.Reporting.Charts;

/// <summary>One row of a <see cref="RowChart"/>.</summary>
/// <param name="Label">Name at its left (above it where the chart is narrow).</param>
/// <param name="Style">Look.</param>
/// <param name="Points">Data points.</param>
internal sealed record ChartRow(string Label, MethodStyle Style, IReadOnlyList<ChartRowPoint> Points)
{
    /// <summary>Text at the right end.</summary>
    public string Note { get; init; } = "";

    /// <summary>Whether a thin line joins the points.</summary>
    public bool Joined { get; init; }

    /// <summary>Whether an arrow leads from the lowest point to the left: a last step to zero.</summary>
    public bool ToZero { get; init; }
}

/// <summary>A point of a row.</summary>
/// <param name="Value">Where it stands on the axis.</param>
/// <param name="Tooltip">Its exact value in words.</param>
/// <param name="Label">Text above it where there is room; empty for none.</param>
/// <param name="IsMinor">Whether it is drawn small and hollow: one of several that the main point sums up.</param>
internal sealed record ChartRowPoint(double Value, string Tooltip, string Label = "", bool IsMinor = false);
