using System.Globalization;
using FewStep.Platform;

namespace FewStep.Experiments;

/// <summary>Draws the same seeds under the cells at one number, the best first, and under the teacher. A picture that lies in the folder is not drawn again.</summary>
internal static class ComparisonStrips
{
    /// <summary>Most rows beside the teacher's.</summary>
    public const int MaximumRows = 24;

    /// <summary>Draws what is missing.</summary>
    /// <param name="cells">Cells with what was measured, the best first.</param>
    /// <param name="teacher">The fine sampler; null for none.</param>
    /// <param name="options">Seeds and folder.</param>
    /// <param name="cost">Evaluations an image of a cell.</param>
    /// <param name="progress">Told the pictures done; may be null.</param>
    /// <param name="cancellation">Stops between solver steps.</param>
    public static IReadOnlyList<ImageStripSummary> Draw(IReadOnlyList<ComparisonCell> cells, ComparisonCell? teacher, ComparisonOptions options, Func<ComparisonCell, int> cost, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (options.ShownSeeds.Count == 0)
        {
            return [];
        }

        ComparisonCell[] rows = [.. cells.Take(MaximumRows), .. teacher is null ? Array.Empty<ComparisonCell>() : [teacher]];
        var strips = new List<ImageStripSummary>();
        foreach (var row in rows)
        {
            strips.Add(Row(row, options, cost(row), cancellation));
            progress?.Report(new WorkProgress("pictures", strips.Count, rows.Length, "rows"));
        }

        return strips;
    }

    private static ImageStripSummary Row(ComparisonCell cell, ComparisonOptions options, int cost, CancellationToken cancellation)
    {
        string seeds = string.Join(' ', options.ShownSeeds.Select(s => s.ToString(CultureInfo.InvariantCulture)));
        string path = $"samples/{EvaluationStore.ImagesKey(cell, seeds)[..16]}.png";
        var drawn = File.Exists(Path.Combine(options.Folder, path))
            ? new ImageStripSummary { Label = "", Schedule = cell.ScheduleName, Solver = cell.Solver.Name, EvaluationsPerImage = cost, Path = path, Seeds = [.. options.ShownSeeds] }
            : ImageStrip.Draw(cell, options.ShownSeeds, options.Folder, path, cancellation);
        return drawn with { Label = cell.Role == EvaluationRole.Teacher ? cell.ScheduleName : $"{cell.ScheduleName}, {cell.Solver.Name}" };
    }
}
