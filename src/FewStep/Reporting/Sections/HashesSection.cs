using FewStep.Experiments;

namespace FewStep.Reporting.Sections;

/// <summary>Model, images and feature networks, each with the hash of its content.</summary>
internal sealed class HashesSection : IReportSection
{
    public string Id => "data";

    public string Heading => "What it was measured on";

    public IEnumerable<ReportBlock> Blocks(ReportPage page)
    {
        (string, string)[] facts = [.. About(page.Summary), .. Hashes(page.Summary)];
        return facts.Length == 0 ? [] : [new FactsBlock(facts)];
    }

    private static IEnumerable<(string, string)> About(Summary summary)
    {
        if (summary.Model is { } model)
        {
            yield return ("Model", model.Name);
            yield return ("Preconditioning", model.Preconditioning);
            yield return ("Image", $"{model.Shape} (channels x height x width)");
            yield return ("Classes", model.Classes == 0 ? "none" : NumberText.Count(model.Classes));
            yield return ("Parameters", model.Parameters == 0 ? "unknown" : NumberText.Count(model.Parameters));
            if (model.Guidance is { } guidance)
            {
                yield return ("Guidance", guidance);
            }
        }

        if (summary.Data is { } data)
        {
            yield return ("Images", $"{data.Name}: {NumberText.Count(data.TrainingImages)} for training, {NumberText.Count(data.HeldOutImages)} held out");
        }
    }

    private static IEnumerable<(string, string)> Hashes(Summary summary)
    {
        HashSet<string?> references = [.. summary.Figures.Select(f => f.ReferenceHash)];
        (string Of, string? Hash)[] all =
        [
            .. summary.Model is { } model ? [(model.Guidance is null ? "the model" : "the guided model", model.Hash ?? "not taken")] : Array.Empty<(string, string?)>(),
            .. summary.Data is { } data && !references.Contains(data.Hash ?? "") ? [("the training images", data.Hash ?? "not taken")] : Array.Empty<(string, string?)>(),
            .. summary.Figures.Select(f => (f.ReferenceImages is { } count ? $"the {NumberText.Count(count)} reference images of" : "the reference of", f))
                .GroupBy(f => (f.Item1, f.f.ReferenceHash), (key, of) => ($"{key.Item1} {string.Join(", ", of.Select(x => x.f.ShortName))}", key.ReferenceHash)),
            .. summary.Figures.GroupBy(f => f.FeatureHash, (hash, of) => ($"the feature network of {string.Join(", ", of.Select(f => f.ShortName))}", hash)),
            .. summary.Trials.Select(t => ($"the images of {t.Name}", t.ImagesHash)),
        ];
        return all.Where(h => h.Hash is not null).Select(h => ($"SHA-256 of {h.Of}", h.Hash!));
    }
}
