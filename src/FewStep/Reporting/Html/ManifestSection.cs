using FewStep.Models;
using System.Globalization;
using System.Xml.Linq;
using FewStep.Experiments;

namespace FewStep.Reporting.Html;

/// <summary>What is needed to run it again.</summary>
internal static class ManifestSection
{
    public static XElement Build(RunSummary summary) => Build(summary.Manifest, summary.Model, summary.Data, summary.Metric, summary.Ledger, ("Steps", NumberText.Count(summary.Steps)));

    /// <summary>The section of a report of any kind.</summary>
    /// <param name="manifest">How it was run.</param>
    /// <param name="model">The model.</param>
    /// <param name="data">The images; null where there were none.</param>
    /// <param name="metric">What samples were measured with; null where they were not.</param>
    /// <param name="ledger">What it cost, for the time.</param>
    /// <param name="about">What the run was about, beside its seed.</param>
    public static XElement Build(ManifestSummary manifest, ModelSummary model, DataSummary? data, MetricSummary? metric, IReadOnlyList<LedgerLineSummary> ledger, params IReadOnlyList<(string Name, string Value)> about) =>
        Element.Section(
            "manifest",
            "How to repeat it",
            Group("Run", Run(manifest, ledger, about)),
            Group("Model", Model(model)),
            data is null ? null : Group("Data", Data(data)),
            metric is null ? null : Group("Metric", Metric(metric)),
            Group("Options", manifest.Options.Select(o => (o.Key, o.Value))),
            Group("Versions", manifest.Versions.Select(v => (v.Key, v.Value))),
            Group("Machine", manifest.Machine.Select(m => (m.Key, m.Value))));

    private static XElement[] Group(string heading, IEnumerable<(string Name, string Value)> facts)
    {
        (string Name, string Value)[] all = [.. facts];
        return all.Length == 0 ? [] : [new XElement("h3", heading), Element.Facts(all)];
    }

    private static IEnumerable<(string Name, string Value)> Run(ManifestSummary manifest, IReadOnlyList<LedgerLineSummary> ledger, IReadOnlyList<(string Name, string Value)> about)
    {
        yield return ("FewStep", manifest.Version);
        yield return ("Seed", manifest.Seed.ToString(CultureInfo.InvariantCulture));
        foreach ((string Name, string Value) fact in about)
        {
            yield return fact;
        }

        if (manifest.Started != default)
        {
            yield return ("Started", manifest.Started.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture));
        }

        if (manifest.Seconds > 0)
        {
            yield return ("Time", NumberText.Duration(manifest.Seconds));
        }
        else if (ledger.Count > 0)
        {
            yield return ("Time of all stages", NumberText.Duration(ledger.Sum(l => l.Seconds)));
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

    private static IEnumerable<(string Name, string Value)> Metric(MetricSummary metric)
    {
        yield return ("Name", metric.Name);
        yield return ("SHA-256 of the feature network", metric.FeatureHash ?? "not taken");
        yield return ("SHA-256 of the real images", metric.ReferenceHash ?? "not taken");
    }
}
