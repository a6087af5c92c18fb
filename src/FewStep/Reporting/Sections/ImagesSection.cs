using FewStep.Experiments;
using FewStep.Reporting.Charts;
using FewStep.Reporting.Html;

namespace FewStep.Reporting.Sections;

/// <summary>The same seeds, one row a trial, each image as a tile that a click enlarges beside those of the other rows.</summary>
internal sealed class ImagesSection() : ReportSection("images", "The same seeds")
{
    private const int FirstRows = 4;
    private const int LargeImage = 128; // pixels; smaller images are enlarged without smoothing

    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        if (page.Summary.ImageStrips.Count == 0)
            yield break;
        yield return new DrawnBlock(() => Rows(page));
        if (page.Summary.Model is { Prompts: { } prompts, Classes: var count })
        {
            yield return new ListBlock([.. page.Summary.ImageStrips[0].Seeds.Where(seed => seed % count < prompts.Count)
                .Select(seed => $"Seed {Text(seed)}: {prompts[(int)(seed % count)]}")]);
        }
    }

    private static XElement Rows(ReportPage page)
    {
        (ImageStripSummary Strip, TrialSummary? Trial)[] rows =
            [.. page.Summary.ImageStrips.Select(s => (s, page.Summary.Trials.FirstOrDefault(t => t.Name == s.Label)))];
        TrialSummary?[] important = [page.Result, page.BestUntuned, page.Baseline, page.Teacher];
        int Rank(TrialSummary? trial) => trial is null ? -1 : Array.IndexOf(important, trial);
        var first = rows.Where(r => Rank(r.Trial) >= 0).OrderBy(r => Rank(r.Trial)).ToList();
        first = [.. first.Concat(rows.Except(first).Take(FirstRows - first.Count)).OrderBy(r => r.Trial == page.Teacher)];
        XElement[] drawn = [.. first.Concat(rows.Except(first)).Select((r, i) => Row(page, r.Strip, r.Trial, i))];
        return new XElement("div",
            drawn.Take(first.Count),
            drawn.Length == first.Count
                ? null
                : new XElement("details", new XElement("summary", drawn.Length == first.Count + 1 ? "1 more row"
                    : $"{NumberText.Count(drawn.Length - first.Count)} more rows"), drawn.Skip(first.Count)),
            Element.Note($"{Seeds(page.Summary.ImageStrips)} A click on an image shows its seed enlarged, row by row; the arrow keys lead "
                + $"to the next seed."));
    }

    private static XElement Row(ReportPage page, ImageStripSummary strip, TrialSummary? trial, int index)
    {
        string name = trial is null ? strip.Label : page.Label(trial), facts = Facts(page, strip, trial);
        byte[]? png = page.Image(strip.Path);
        return Element.Classed("div", "strip",
            new XAttribute("data-label", $"{name} ({facts})"),
            Element.Classed("p", "strip-label",
                new XElement("strong", trial is null ? null : Figure.Chip(page.Styles.Of(trial)), name),
                Role(page, trial) is { } role ? Element.Classed("span", "role", role) : null,
                Element.Classed("span", "small", facts)),
            png is null || strip.Seeds.Count == 0 ? Element.Note($"The picture {strip.Path} is missing.")
                : Tiles(strip, png, $"strip-{index.ToString(CultureInfo.InvariantCulture)}", name));
    }

    // The picture is in the page once; each tile is a window on it.
    private static XElement Tiles(ImageStripSummary strip, byte[] png, string id, string name)
    {
        // of the header chunk
        int width = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(16)), height = BinaryPrimitives.ReadInt32BigEndian(png.AsSpan(20));
        double tile = (double)width / strip.Seeds.Count;
        return Element.Classed("div", height < LargeImage ? "images pixels" : "images",
            Svg.Picture(id, width, height, "data:image/png;base64," + Convert.ToBase64String(png)),
            strip.Seeds.Select((seed, i) => new XElement("button",
                new XAttribute("type", "button"),
                new XAttribute("data-column", i.ToString(CultureInfo.InvariantCulture)),
                new XAttribute("title", $"seed {Text(seed)}"),
                Svg.Window(id, i * tile, tile, height, $"{name}, seed {Text(seed)}"))));
    }

    private static string? Role(ReportPage page, TrialSummary? trial) => trial switch
    {
        null => null,
        _ when trial == page.Result => "result",
        _ when trial == page.BestUntuned => trial == page.Baseline ? "baseline and best untuned" : "best untuned",
        _ when trial == page.Baseline => "baseline",
        _ when trial == page.Teacher => "teacher",
        _ => null,
    };

    private static string Facts(ReportPage page, ImageStripSummary strip, TrialSummary? trial)
    {
        string cost = $"{NumberText.Evaluations(trial?.EvaluationsPerImage ?? strip.EvaluationsPerImage)} NFE";
        return page.Main is { } main && trial is not null
            && trial.Has(main) ? $"{main.ShortName} {FigureText.Value(trial, main)} · {cost}" : cost;
    }

    private static string Seeds(IReadOnlyList<ImageStripSummary> strips)
    {
        IReadOnlyList<long> seeds = strips[0].Seeds;
        if (strips.Any(s => !s.Seeds.SequenceEqual(seeds)))
            return "The rows show different seeds.";
        bool consecutive = seeds.Count > 2 && seeds.Zip(seeds.Skip(1)).All(p => p.Second == p.First + 1);
        return "The seeds of each row: "
            + $"{(consecutive ? $"{Text(seeds[0])} to {Text(seeds[^1])}" : string.Join(", ", seeds.Select(Text)))}.";
    }

    private static string Text(long seed) => seed.ToString(CultureInfo.InvariantCulture);
}
