using System.Xml.Linq;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>What becomes of a schedule that was found for one solver and is used with another.</summary>
internal static class TransferSection
{
    private const int Hottest = 5;

    public static XElement? Build(ComparisonSummary summary)
    {
        if (!summary.Cells.Any(c => c.IsTransfer))
        {
            return null;
        }

        bool isDistance = summary.Metric is not null;
        Func<ComparisonCellSummary, DistanceSummary?> value = isDistance ? c => c.Distance : c => c.Endpoint;
        string metric = isDistance ? summary.Metric!.ShortName : "Endpoint RMS";
        string unit = summary.Axis == ComparisonAxis.Evaluations ? "evaluations" : "steps";
        var matrices = from schedule in summary.Cells.Where(c => c.IsTransfer).Select(c => c.Schedule).Distinct()
                       from number in summary.Numbers
                       let cells = summary.Cells.Where(c => c.Schedule == schedule && c.Number == number).ToArray()
                       where cells.Any(c => c.IsTransfer)
                       select new object[] { new XElement("h3", $"{schedule}, {NumberText.Count(number)} {unit}"), Matrix(cells, value, metric, $"{schedule} at {NumberText.Count(number)} {unit}") };
        return Element.Section(
            "transfer",
            "Schedules found for one solver, used with another",
            Element.Paragraph($"Rows: the solver that the schedule was searched for. Columns: the solver that used it. Each cell: {metric}, and its ratio to the schedule found for that very solver. Bold: a solver's own schedule. Orange is worse than its own, blue is better."),
            matrices,
            Element.Note("No schedule was searched for a transfer alone: where a solver needs a number of steps that the other's searches did not have, there is a dash."));
    }

    private static XElement Matrix(ComparisonCellSummary[] cells, Func<ComparisonCellSummary, DistanceSummary?> value, string metric, string caption)
    {
        string[] users = [.. cells.Select(c => c.Solver).Distinct()], targets = [.. users.Where(u => cells.Any(c => c.FoundFor == u))];
        var head = new XElement("tr", new XElement("th", new XAttribute("scope", "col"), $"{metric}; found for"), users.Select(u => new XElement("th", new XAttribute("scope", "col"), new XAttribute("class", "number"), $"with {u}")));
        var body = targets.Select(t => new XElement("tr", new XElement("th", new XAttribute("scope", "row"), t), users.Select(u => Cell(cells, t, u, value))));
        return Element.Classed(
            "div",
            "scroll",
            new XAttribute("tabindex", "0"),
            new XAttribute("role", "region"),
            new XAttribute("aria-label", $"Transfer of {caption}"),
            new XElement("table", new XElement("thead", head), new XElement("tbody", body)));
    }

    private static XElement Cell(ComparisonCellSummary[] cells, string target, string user, Func<ComparisonCellSummary, DistanceSummary?> value)
    {
        double? here = Mean(cells, target, user, value), own = Mean(cells, user, user, value);
        if (here is not double mean)
        {
            return Element.Classed("td", "number", NumberText.Missing);
        }

        DistanceSummary distance = value(cells.First(c => c.FoundFor == target && c.Solver == user))!;
        string text = NumberText.WithSpread(mean, distance.Spread);
        if (target == user || own is not > 0)
        {
            return Element.Classed("td", target == user ? "number own" : "number", text);
        }

        double ratio = mean / own.Value;
        int heat = (int)Math.Round(Hottest * Math.Clamp(Math.Abs(Math.Log2(ratio)), 0, 1)); // full at half or double
        return Element.Classed(
            "td",
            $"number {(ratio > 1 ? "worse" : "better")}{(heat == 0 ? "" : FormattableString.Invariant($" heat{heat}"))}",
            text,
            Element.Classed("small", "detail", $"× {NumberText.Fixed(ratio, 2)}"));
    }

    private static double? Mean(ComparisonCellSummary[] cells, string target, string user, Func<ComparisonCellSummary, DistanceSummary?> value) =>
        cells.FirstOrDefault(c => c.FoundFor == target && c.Solver == user) is { } cell && value(cell) is { } d && double.IsFinite(d.Mean) ? d.Mean : null;
}
