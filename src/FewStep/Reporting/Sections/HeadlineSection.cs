using FewStep.Experiments;
using FewStep.Reporting.Html;

namespace FewStep.Reporting.Sections;

/// <summary>What came out, for better or worse: the result against the best untuned sampler, or the best at each number.</summary>
internal sealed class HeadlineSection() : ReportSection("headline", "What came out", isBrief: true)
{
    private const int MostNames = 4;

    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        if (page.Main is not { } main)
            yield break;
        string[] sentences =
        [
            .. page.Result is { } result
                ? OfResult(page, result, main)
                : page.Numbers.OrderBy(n => n != page.Summary.ShownNumber).SelectMany(n => OfNumber(page, n, main)),
            .. Context(page, main),
        ];
        yield return new TextBlock(sentences[0], TextWeight.Lead);
        yield return new DrawnBlock(() => Tiles(page, main));
        if (sentences.Length > 1)
            yield return new ListBlock(sentences[1..]);
    }

    private static IEnumerable<string> OfResult(ReportPage page, TrialSummary result, FigureSummary main)
    {
        string reaches = $"With {Cost(result)}, {page.Label(result)} reaches {main.Name} {FigureText.Value(result, main)}";
        string Judged(TrialSummary rival) => $"the result is {TrialComparison.Of(rival, result, main).Words}";
        TrialSummary? untuned = page.BestUntuned, baseline = page.Baseline;
        if (untuned is not null)
        {
            yield return $"{reaches}, against {FigureText.Value(untuned, main)} of the best untuned sampler at the same evaluations, "
                + $"{page.Label(untuned)}: {Judged(untuned)}.";
        }
        else
        {
            yield return baseline is null ? $"{reaches}; nothing was measured to compare it with."
                : $"{reaches}; no untuned sampler was measured at the same evaluations.";
        }

        if (baseline is not null && baseline != untuned)
        {
            string paid = result.EvaluationsPerImage > baseline.EvaluationsPerImage
                ? " It uses more evaluations than the baseline, so part of the difference is paid for."
                : "";
            yield return $"The baseline ({page.Label(baseline)}, {Cost(baseline)}) reaches {FigureText.Value(baseline, main)}: "
                + $"{Judged(baseline)}.{paid}";
        }

        TrialSummary? own = page.Summary.Trials.FirstOrDefault(t => (t.Schedule, t.Solver, t.Steps, t.Tuning, t.Role)
            == (result.Schedule, result.Solver, result.Steps, null, TrialRole.Comparison));
        if (result.Tuning is not null && own is not null && own != untuned)
            yield return $"The schedule alone, with the weights untouched, reaches {FigureText.Value(own, main)}: {Judged(own)}.";
    }

    private static IEnumerable<string> OfNumber(ReportPage page, int number, FigureSummary main)
    {
        TrialSummary[] trials = [.. page.At(number)];
        string at = number == 0 ? "Of the stored images" : $"At {page.Unit(number)}";
        if (page.Best(trials) is not { } best)
        {
            yield return $"{at}, nothing was measured.";
            yield break;
        }

        if (trials.Length == 1)
        {
            yield return $"{at}, {page.Label(best)} reaches {main.Name} {FigureText.Value(best, main)}.";
            yield break;
        }

        var others = from figure in page.Summary.Figures.Skip(1)
                     let winner = trials.FirstOrDefault(t => t.Verdicts.GetValueOrDefault(figure.Key)?.Standing == Standing.Best)
                     where winner is not null
                     group figure.ShortName by winner into won
                     select $" {(won.Key == best ? "It also" : page.Label(won.Key))} has the best {string.Join(", ", won)}.";
        yield return $"{at}, {page.Label(best)} has the best {main.ShortName}, {FigureText.Value(best, main)} "
            + $"({How(page, trials, main)}).{string.Concat(others)}";
    }

    private static string How(ReportPage page, TrialSummary[] trials, FigureSummary main)
    {
        (TrialSummary Trial, Verdict Verdict)[] judged =
            [.. trials.Where(t => t.Verdicts.ContainsKey(main.Key)).Select(t => (t, t.Verdicts[main.Key]))];
        var undecided = judged.Where(j => j.Verdict.Standing == Standing.Undecided).OrderBy(j => Math.Abs(j.Verdict.Difference)).ToList();
        int others = judged.Length - 1;
        return undecided.Count switch
        {
            _ when others < 1 => "nothing was compared with it",
            0 => $"ahead of {(others == 1 ? "the other" : $"all {NumberText.Count(others)} others")} beyond the spread over seed ranges",
            _ when undecided.All(u => u.Verdict.HalfWidth is null) => "not decided, because the spread is unknown",
            _ => $"not decided against {Names(page, [.. undecided.Select(u => u.Trial)])}",
        };
    }

    private static IEnumerable<string> Context(ReportPage page, FigureSummary main)
    {
        if (page.Teacher is { } teacher)
        {
            string value = teacher.Has(main) ? $"reaches {FigureText.Value(teacher, main)}"
                : "gives the images that others are compared with";
            yield return $"The teacher ({page.Label(teacher)}, {Cost(teacher)}) {value}.";
        }

        if (FigureText.Floor(main) is { } floor)
            yield return $"{floor} A sampler near it is as close to the reference as other real images are.";
        int warnings = page.IsBrief ? 0 : WarningsSection.Sentences(page).Count;
        if (warnings > 0)
        {
            yield return warnings == 1 ? "There is a warning further down."
                : $"There are {NumberText.Count(warnings)} warnings further down.";
        }
    }

    private static XElement Tiles(ReportPage page, FigureSummary main)
    {
        (string Name, TrialSummary? Trial)[] tiles =
        [
            page.Result is null ? ($"best at {page.Unit(page.Summary.ShownNumber)}", page.BestShown) : ("of the result", page.Result),
            ("of the best untuned", page.BestUntuned),
            ("of the baseline", page.Baseline == page.BestUntuned ? null : page.Baseline),
            ("of the teacher", page.Teacher is { } t && t.Has(main) ? t : null),
        ];
        return Element.Classed("div", "tiles",
            from tile in tiles
            where tile.Trial is not null
            let figure = NumberText.Parts(FigureText.Value(tile.Trial, main))
            select Tile($"{main.ShortName} {tile.Name}", page.Styles.Of(tile.Trial), figure, About(page, tile.Trial)),
            main.Floor is null ? null : Tile($"{main.ShortName} floor", null,
                NumberText.Parts(NumberText.WithSpread(main.Floor, main.FloorSpread)), "real against real images"));
    }

    private static XElement Tile(string name, MethodStyle? style, (string Mean, string? Spread) figure, string about) =>
        Element.Classed("div", "tile", Element.Classed("span", "small", style is null ? null : Figure.Chip(style), name),
        Element.Classed("span", "figure", figure.Mean, figure.Spread is null ? null : new XElement("small", figure.Spread)),
        Element.Classed("span", "small", about));

    private static string About(ReportPage page, TrialSummary trial) =>
        trial.EvaluationsPerImage is { } evaluations ? $"{page.Label(trial)}, {NumberText.Evaluations(evaluations)} NFE"
            : page.Label(trial);

    private static string Names(ReportPage page, TrialSummary[] trials)
    {
        string names = string.Join("; ", trials.Take(MostNames).Select(page.Label));
        return trials.Length > MostNames ? $"{names}; and {NumberText.Count(trials.Length - MostNames)} more" : names;
    }

    private static string Cost(TrialSummary t) =>
        $"{(t.EvaluationsPerImage is { } e ? NumberText.Evaluations(e) : "no")} network "
            + $"evaluation{(t.EvaluationsPerImage == 1 ? "" : "s")} an image";
}
