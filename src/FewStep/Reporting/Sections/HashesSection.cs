using FewStep.Experiments;

namespace FewStep.Reporting.Sections;

/// <summary>Model, images and feature networks, each with the hash of its content.</summary>
internal sealed class HashesSection() : ReportSection("data", "What it was measured on")
{
    public override IEnumerable<ReportBlock> Blocks(ReportPage page)
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
            if (model.Latents is { } latents)
                yield return ("Latents", $"{latents}, from which the images are decoded");
            if (model.Prompts is { } prompts)
                yield return ("Prompts", $"{NumberText.Count(model.Classes)}: {string.Join("; ", prompts)}");
            if (model.NegativePrompt is { } negative)
                yield return ("Negative prompt", negative);
            yield return ("Classes", model.Classes == 0 ? "none" : NumberText.Count(model.Classes));
            yield return ("Parameters", model.Parameters == 0 ? "unknown" : NumberText.Count(model.Parameters));
            if (model.Guidance is { } guidance)
                yield return ("Guidance", guidance);
        }

        if (summary.Data is { } data)
        {
            yield return ("Images",
                $"{data.Name}: {NumberText.Count(data.TrainingImages)} for training, {NumberText.Count(data.HeldOutImages)} held out");
        }
    }

    private static IEnumerable<(string, string)> Hashes(Summary summary)
    {
        IReadOnlyList<FigureSummary> figures = summary.Figures;
        string? reference = figures.Any(f => f.ReferenceHash == summary.Data?.ReferenceHash) ? null : summary.Data?.ReferenceHash;
        string Names(IEnumerable<FigureSummary> of) => string.Join(", ", of.Select(f => f.ShortName));
        string Images(long? count) => count is { } n ? $"the {NumberText.Count(n)} reference images" : "the reference";
        (string Of, string? Hash)[] all =
        [
            (summary.Model?.Guidance is null ? "the model" : "the guided model", summary.Model?.Hash),
            ("the training images", summary.Data?.Hash),
            ("the reference images", reference),
            .. figures.GroupBy(f => (f.ReferenceHash, f.ReferenceImages))
                .Select(g => ($"{Images(g.Key.ReferenceImages)} of {Names(g)}", g.Key.ReferenceHash)),
            .. figures.GroupBy(f => f.FeatureHash).Select(g => ($"the feature network of {Names(g)}", g.Key)),
            .. summary.Trials.Select(t => ($"the images of {t.Name}", t.ImagesHash)),
        ];
        return all.Where(h => h.Hash is not null).Select(h => ($"SHA-256 of {h.Of}", h.Hash!));
    }
}
