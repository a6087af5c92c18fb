namespace FewStep.Search;

/// <summary>What GITS takes for the cost of one jump.</summary>
internal enum GitsMetric
{
    /// <summary>How much farther than the teacher the jump ends from the straight line between the teacher's start and end (L2); may be
    /// negative. The reference implementation's default.</summary>
    Deviation,

    /// <summary>The distance (L2) between where the jump ends and the teacher's point there.</summary>
    Distance,
}
