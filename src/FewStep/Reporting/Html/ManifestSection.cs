using System.Globalization;
using System.Xml.Linq;
using FewStep.Runs;

namespace FewStep.Reporting.Html;

/// <summary>What is needed to run it again.</summary>
internal static class ManifestSection
{
    public static XElement Build(RunSummary summary) =>
        Element.Section(
            "manifest",
            "How to repeat it",
            Group("Run", Run(summary)),
            Group("Model", Model(summary.Model)),
            summary.Data is { } data ? Group("Data", Data(data)) : null,
            Group("Options", summary.Manifest.Options.Select(o => (o.Key, o.Value))),
            Group("Versions", summary.Manifest.Versions.Select(v => (v.Key, v.Value))),
            Group("Machine", summary.Manifest.Machine.Select(m => (m.Key, m.Value))));

    private static XElement[] Group(string heading, IEnumerable<(string Name, string Value)> facts)
    {
        (string Name, string Value)[] all = [.. facts];
        return all.Length == 0 ? [] : [new XElement("h3", heading), Element.Facts(all)];
    }

    private static IEnumerable<(string Name, string Value)> Run(RunSummary summary)
    {
        ManifestSummary manifest = summary.Manifest;
        yield return ("FewStep", manifest.Version);
        yield return ("Seed", manifest.Seed.ToString(CultureInfo.InvariantCulture));
        yield return ("Steps", NumberText.Count(summary.Steps));
        if (manifest.Started != default)
        {
            yield return ("Started", manifest.Started.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture));
        }

        if (manifest.Seconds > 0)
        {
            yield return ("Time", NumberText.Duration(manifest.Seconds));
        }
        else if (summary.Ledger.Count > 0)
        {
            yield return ("Time of all stages", NumberText.Duration(summary.Ledger.Sum(l => l.Seconds)));
        }

        if (manifest.CommandLine is { } command)
        {
            yield return ("Command", command);
        }
    }

    private static IEnumerable<(string Name, string Value)> Model(ModelSummary model)
    {
        yield return ("Name", model.Name);
        yield return ("Preconditioning", model.Preconditioning);
        yield return ("Image", $"{model.Shape} (channels x height x width)");
        yield return ("Classes", model.Classes == 0 ? "none" : NumberText.Count(model.Classes));
        yield return ("Parameters", model.Parameters == 0 ? "unknown" : NumberText.Count(model.Parameters));
        yield return ("SHA-256", model.Hash ?? "not taken");
    }

    private static IEnumerable<(string Name, string Value)> Data(DataSummary data)
    {
        yield return ("Name", data.Name);
        yield return ("Training images", NumberText.Count(data.TrainingImages));
        yield return ("Held-out images", NumberText.Count(data.HeldOutImages));
        yield return ("SHA-256", data.Hash ?? "not taken");
    }
}
