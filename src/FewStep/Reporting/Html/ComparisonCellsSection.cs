using System.Xml.Linq;
using FewStep.Runs;

namespace FewStep.Reporting.Html;

/// <summary>All cells as a table.</summary>
internal static class ComparisonCellsSection
{
    public static XElement Build(ComparisonSummary summary, ComparisonStyles styles)
    {
        ComparisonCellTable table = ComparisonCellTable.Build(summary, brief: false);
        return Element.Section(
            "cells",
            "All cells",
            Element.Table(
                table.Table,
                "Solvers and schedules compared",
                row => RowClass(table.Cells[row]),
                row => Figure.Chip(styles.Schedule(table.Cells[row].Schedule).Points)),
            Element.Note("Sorted by number, then from the best on. Behind the best: mean difference over the seed ranges to the best at the same number, ± the half-width of its one-sided 95 % interval (Student's t on the paired differences). Not decided: the interval reaches zero. Nothing corrects for the choice of the best among many, which flatters it a little."));
    }

    private static string? RowClass(ComparisonCellSummary cell) => (cell.DistanceVerdict ?? cell.EndpointVerdict)?.Standing switch
    {
        ComparisonStanding.Best => "result",
        ComparisonStanding.Undecided => "undecided",
        _ => null,
    };
}
