using System.Xml.Linq;
using FewStep.Noise;
using FewStep.Reporting.Charts;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>The schedules side by side.</summary>
internal static class SchedulesSection
{
    public static XElement? Build(RunSummary summary, MethodStyles styles)
    {
        ChartRow[] rows = [.. summary.Schedules.Where(s => s.Sigmas.Any(v => v > 0 && double.IsFinite(v))).Select(s => Row(s, styles))];
        return rows.Length == 0
            ? null
            : Element.Section(
                "schedules",
                "Sampling schedules",
                Figure.Build(
                    size => new RowChart(rows, size).Draw("schedules", "Noise levels of each schedule", "noise level σ (log scale)"),
                    "Sampling runs from right to left; each point is a noise level. Grey: standard schedules, which know nothing of the model." + (rows.Any(r => r.ToZero) ? " An arrow marks a last step to zero." : "")),
                new XElement("h3", "Sigmas as numbers"),
                Element.Facts(Numbers(summary)));
    }

    private static ChartRow Row(ScheduleSummary schedule, MethodStyles styles)
    {
        bool labelled = schedule.Source is not (ScheduleSource.Standard or ScheduleSource.Teacher);
        int steps = schedule.Sigmas.Count - 1;
        return new ChartRow(
            schedule.Name,
            styles.Of(schedule.Name, null),
            [.. schedule.Sigmas.Select((s, i) => new ChartRowPoint(s, $"{schedule.Name}: σ[{i}] = {NumberText.Sigma(s, 5)}", labelled ? NumberText.Sigma(s) : ""))])
        {
            Joined = true,
            ToZero = schedule.Terminal == ScheduleTerminal.Zero,
            Note = steps == 1 ? "1 step" : $"{NumberText.Count(steps)} steps",
        };
    }

    private static IEnumerable<(string Name, string Sigmas)> Numbers(RunSummary summary) =>
        summary.Schedules.Select(s => (s.Name, string.Join(", ", s.Sigmas.Select(v => NumberText.Sigma(v, 5))) + (s.Terminal == ScheduleTerminal.Zero ? ", then 0" : "")));
}
