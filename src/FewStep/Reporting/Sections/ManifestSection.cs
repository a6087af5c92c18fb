using FewStep.Experiments;

namespace FewStep.Reporting.Sections;

/// <summary>What is needed to run it again.</summary>
internal sealed class ManifestSection() : ReportSection("manifest", "How to repeat it")
{
    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        ManifestSummary manifest = page.Summary.Manifest;
        if (manifest.CommandLine is { } command)
            yield return new CodeBlock("Run it again", command);
        yield return new FactsBlock([.. Run(page.Summary)]);
        foreach ((string heading, IReadOnlyDictionary<string, string> facts) in new[]
        { ("Options", manifest.Options), ("Versions", manifest.Versions), ("Machine", manifest.Machine) })
        {
            if (facts.Count > 0)
            {
                yield return new HeadingBlock(heading);
                yield return new FactsBlock([.. facts.Select(f => (f.Key, f.Value))]);
            }
        }
    }

    private static IEnumerable<(string, string)> Run(Summary summary)
    {
        ManifestSummary manifest = summary.Manifest;
        yield return ("FewStep", manifest.Version);
        yield return ("Seed", manifest.Seed.ToString(CultureInfo.InvariantCulture));
        if (summary.Seeds is { } seeds)
        {
            yield return ("Image seeds", $"{NumberText.Count(seeds.Ranges)} × {NumberText.Count(seeds.Images)} from "
                + $"{NumberText.Count(seeds.First)}; searches and tuning use others");
        }

        if (manifest.Started != default)
            yield return ("Started", manifest.Started.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture));
        if (manifest.Seconds > 0)
            yield return ("Time", NumberText.Duration(manifest.Seconds));
        else if (summary.Ledger.Count > 0)
            yield return ("Time of all stages", NumberText.Duration(summary.Ledger.Sum(l => l.Seconds)));
    }
}
