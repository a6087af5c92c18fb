namespace FewStep.Reporting.Charts;

/// <summary>The two sizes in which each chart is drawn; the page shows the one that fits, so that text keeps its size on a phone.</summary>
/// <param name="Width">Width of the view box in pixels.</param>
/// <param name="IsNarrow">Whether it is for a phone.</param>
internal sealed record ChartSize(double Width, bool IsNarrow)
{
    /// <summary>For screens and paper.</summary>
    public static readonly ChartSize Wide = new(860, false);

    /// <summary>For phones.</summary>
    public static readonly ChartSize Narrow = new(370, true);

    /// <summary>Ends an element's id: each size has its own.</summary>
    public string Suffix => IsNarrow ? "narrow" : "wide";
}
