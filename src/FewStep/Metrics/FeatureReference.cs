using FewStep.Checkpoints;
using FewStep.Data;

namespace FewStep.Metrics;

/// <summary>What images are compared with, as features of one network: mean and covariance of real images, and the features of single
/// images where they are wanted. Owns its tensors; dispose it.</summary>
internal sealed record FeatureReference(
    FeatureStatistics Statistics, Tensor? Kept, long? Images, string ImagesHash, string? ExtractorHash) : IDisposable
{
    private const string Format = "fewstep-feature-statistics-1";
    private const int Batch = 250;

    /// <summary>Name of the file of a network's reference in an experiment's folder.</summary>
    public static string FileName(FeatureKind kind) => kind switch
    {
        FeatureKind.Inception => "reference-inception.safetensors",
        FeatureKind.HeldBack => "reference-held-back.safetensors",
        _ => "reference.safetensors",
    };

    /// <summary>Measures all images of a set, in its order.</summary>
    public static FeatureReference Measure(IImageSet set, IFeatureExtractor extractor, KeptChoice? choice = null, int batch = Batch,
        IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (set.Count < 2)
            throw new InvalidInputException($"A reference needs 2 or more images; the set has {set.Count}.");
        using var scope = NewDisposeScope();
        var statistics = new FeatureStatistics(extractor.Dimension);
        try
        {
            var places = choice?.Places(set);
            var kept = places is null ? null : empty([Math.Min(set.Count, choice!.Most), extractor.Dimension], dtype: ScalarType.Float32);
            int[] all = [.. Enumerable.Range(0, set.Count)];
            new ImageTensors(set).ForEach(all, batch, "features of real images", (first, images) =>
            {
                var features = images.Features(extractor);
                statistics.Add(features);
                for (int i = 0; i < images.Count && kept is not null; i++)
                {
                    if (places![first + i] < kept.shape[0])
                        kept[places[first + i]].copy_(features[i]);
                }
            }, progress, cancellation);
            return new FeatureReference(statistics, kept?.DetachFromDisposeScope(), statistics.Count, set.Hash, extractor.Hash);
        }
        catch
        {
            statistics.Dispose();
            throw;
        }
    }

    /// <summary>Reads the reference from a file if it was made of these images by this network and holds what is wanted; measures it and
    /// writes the file (a cache, safetensors) otherwise.</summary>
    /// <param name="keeps">Whether the file is written; default true.</param>
    public static FeatureReference LoadOrMeasure(string path, IImageSet set, IFeatureExtractor extractor, KeptChoice? choice = null,
        bool keeps = true, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        if (File.Exists(path))
        {
            var (stored, kept) = Load(path);
            if (stored.ImagesHash == set.Hash && stored.ExtractorHash == extractor.Hash
                && stored.Statistics.Dimension == extractor.Dimension && (choice is null || kept == choice))
            {
                return stored;
            }

            stored.Dispose();
        }

        var measured = Measure(set, extractor, choice, Batch, progress, cancellation);
        if (keeps)
            measured.Save(path, choice);
        return measured;
    }

    public static (FeatureReference Reference, KeptChoice? Choice) Load(string path)
    {
        using var scope = NewDisposeScope();
        var (tensors, metadata) = SafetensorsFile.Read(path);
        foreach (var tensor in tensors.Values)
            scope.Attach(tensor);
        long Number(string key)
            => long.TryParse(metadata.GetValueOrDefault(key), NumberStyles.None, CultureInfo.InvariantCulture, out long n) ? n : -1;
        bool keeps = tensors.TryGetValue("features", out var kept);
        if (metadata.GetValueOrDefault("format") != Format
            || !tensors.TryGetValue("mean", out var mean)
            || !tensors.TryGetValue("covariance", out var covariance)
            || !mean.is_floating_point()
            || !covariance.is_floating_point()
            || Number("count") is < 0 and var count
            || metadata.GetValueOrDefault("images") is not { } images
            || metadata.GetValueOrDefault("extractor") is not { } extractor
            || (keeps && (kept!.dtype != ScalarType.Float32 || kept.dim() != 2 || kept.shape[1] != mean.shape[0] || Number("seed") < 0
                || Number("most") < 0)))
        {
            throw new InvalidInputException(
                $"{path} holds no feature statistics of format {Format}; delete it to have them measured again.");
        }

        var choice = keeps ? new KeptChoice((int)Number("most"), Number("seed")) : null;
        return (new(FeatureStatistics.FromMoments(Number("count"), mean, covariance), kept?.DetachFromDisposeScope(), Number("count"),
            images, extractor), choice);
    }

    /// <summary>Writes a file, whole or not at all.</summary>
    public void Save(string path, KeptChoice? choice)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor> { ["mean"] = Statistics.Mean(), ["covariance"] = Statistics.Covariance() };
        var metadata = new Dictionary<string, string>
        {
            ["format"] = Format,
            ["count"] = Statistics.Count.ToString(CultureInfo.InvariantCulture),
            ["images"] = ImagesHash,
            ["extractor"] = ExtractorHash!,
        };
        if (Kept is not null)
        {
            tensors["features"] = Kept;
            metadata["most"] = choice!.Most.ToString(CultureInfo.InvariantCulture);
            metadata["seed"] = choice.Seed.ToString(CultureInfo.InvariantCulture);
        }

        SafetensorsFile.Write(path, tensors, metadata);
    }

    public void Dispose()
    {
        Statistics.Dispose();
        Kept?.Dispose();
    }
}

/// <summary>Which features of single images a reference keeps: the first of a random order, for sets are often sorted by class.</summary>
internal sealed record KeptChoice(int Most, long Seed)
{
    /// <summary>Each image's place in the random order.</summary>
    public int[] Places(IImageSet images)
    {
        int[] places = new int[images.Count], order = EpochShuffle.Order(images, Seed);
        for (int place = 0; place < order.Length; place++)
            places[order[place]] = place;
        return places;
    }
}
