using System.Xml.Linq;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>All cells as a table.</summary>
internal static class ComparisonCellsSection
{
    public static XElement Build(ComparisonSummary summary, ComparisonStyles styles) =>
        Element.Section(
            "cells",
            "All cells",
            Element.Note("Under each value: its mean difference over the seed ranges to the best at the same number, ± the half-width of the one-sided 95 % interval (Student's t on the paired differences). Not decided: the interval reaches zero. Nothing corrects for the choice of the best among many, which flatters it a little."),
            summary.Numbers.Where(n => summary.Cells.Any(c => c.Number == n)).Select(n => Table(summary, n, styles)));

    private static object[] Table(ComparisonSummary summary, int number, ComparisonStyles styles)
    {
        ComparisonCellTable table = ComparisonCellTable.Build(summary with { Cells = [.. summary.Cells.Where(c => c.Number == number)] }, brief: false);
        string heading = $"{NumberText.Count(number)} {(summary.Axis == ComparisonAxis.Evaluations ? "evaluations" : "steps")}";
        return
        [
            new XElement("h3", heading),
            Element.Table(table.Table, $"Solvers and schedules at {heading}", row => RowClass(table.Cells[row]), row => Figure.Chip(styles.Schedule(table.Cells[row].Schedule).Points)),
        ];
    }

    private static string? RowClass(ComparisonCellSummary cell) => (cell.DistanceVerdict ?? cell.EndpointVerdict)?.Standing switch
    {
        ComparisonStanding.Best => "result",
        ComparisonStanding.Undecided => "undecided",
        _ => null,
    };
}
