namespace FewStep.Reporting.Charts;

/// <summary>The two sizes in which each chart is drawn; the page shows the one that fits, so that text keeps its size on a phone.</summary>
internal sealed record ChartSize(double Width, bool IsNarrow)
{
    public static readonly ChartSize Wide = new(860, false);
    public static readonly ChartSize Narrow = new(370, true);

    /// <summary>Ends an element's id: each size has its own.</summary>
    public string Suffix => IsNarrow ? "narrow" : "wide";
}
