using FewStep.Experiments;

namespace FewStep.Reporting;

/// <summary>What is said of the metric's floor.</summary>
internal static class FloorText
{
    /// <summary>One sentence with the floor, its spread and what it means; null where it was not measured.</summary>
    public static string? Sentence(MetricSummary metric)
    {
        if (metric.Floor is not double floor || !double.IsFinite(floor))
        {
            return null;
        }

        string subsets = metric.FloorSubsets > 1 ? $", mean and standard deviation over {NumberText.Count(metric.FloorSubsets)} disjoint subsets" : "";
        string images = metric.FloorImages > 0 ? $" at {NumberText.Count(metric.FloorImages)} images" : "";
        return $"Floor: real images against the real images of the reference have {metric.ShortName} {NumberText.WithSpread(floor, metric.FloorSpread)}{images}{subsets}. A sampler near it is as close to the reference as other real images are.";
    }
}
