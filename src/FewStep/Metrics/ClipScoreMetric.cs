namespace FewStep.Metrics;

/// <summary>How well images fit the prompts that they were made of: 100 max(cos, 0) of a CLIP's embeddings, mean over images (Hessel et al.
/// 2021, with torchmetrics' factor of 100).</summary>
internal sealed class ClipScoreMetric(ClipModel clip, IReadOnlyList<string> texts) : IJoinableMetric
{
    public static MetricEntry Entry { get; } = new("clip-score", "how well images fit their prompts, by an ONNX CLIP (--clip)",
        MetricNeeds.Captions, context => new ClipScoreMetric(context.Clip, context.Texts!));

    public IReadOnlyList<MetricFigure> Figures { get; } =
    [
        new(Entry.Name, $"CLIP score ({clip.Name})", "CLIP score",
            $"100 times the cosine between {clip.Name}'s embeddings of an image and of its prompt, negative ones counted as 0, mean over "
                + "images; higher is better.",
            HigherIsBetter: true, clip.Hash),
    ];

    public string Identity { get; } = $"{Entry.Name}\n{clip.Hash}\n{Sha256.Of(string.Join('\n', texts))}";
    public bool ComparesWithRealImages => false;

    public IMetricMeasurement Begin(int images, SeedRange? seeds) => Measurement(seeds);
    public IJoinableMeasurement Begin(SeedRange whole, SeedRange part) => Measurement(part);

    private MeanMeasurement Measurement(SeedRange? seeds) => new("cosines", (batch, before) =>
    {
        string[] own = [.. Enumerable.Range(0, batch.Count).Select(i => seeds is null ? Stored(batch.Labels?[i] ?? -1)
            : texts[(int)((seeds.First + before + i) % texts.Count)])];
        return clip.Cosines(batch.Pixels, own).Sum(cosine => 100 * Math.Max(cosine, 0));
    });

    private string Stored(int label) => label >= 0 && label < texts.Count ? texts[label] : throw new InvalidInputException(
        $"Stored images do not say which prompts they are of; leave the metric {Entry.Name} out, or give a folder with captions.");
}
