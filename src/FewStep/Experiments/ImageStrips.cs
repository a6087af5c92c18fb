using FewStep.Data;
using FewStep.Sampling;
using TorchSharp;

namespace FewStep.Experiments;

/// <summary>Draws the same seeds under several trials, one row a trial. A picture that lies in the folder is not drawn again.</summary>
internal static class ImageStrips
{
    public const int MaximumImages = 64;
    public const int MaximumRows = 24;

    public static IReadOnlyList<ImageStripSummary> Draw(
        IReadOnlyList<(Trial Trial, TrialSummary Summary)> trials, ExperimentOptions options, IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        var strips = new List<ImageStripSummary>();
        if (options.Folder is not { } folder || options.ShownSeeds.Count == 0)
            return strips;
        string seeds = string.Join(' ', options.ShownSeeds.Select(s => s.ToString(CultureInfo.InvariantCulture)));
        foreach (var (trial, summary) in trials)
        {
            string path = $"samples/{trial.ImagesKey(seeds)[..16]}.png";
            if (!File.Exists(Path.Combine(folder, path)))
                Draw(trial, options.ShownSeeds, Path.Combine(folder, path), cancellation);
            strips.Add(new ImageStripSummary(summary.Name, summary.EvaluationsPerImage!.Value, path, [.. options.ShownSeeds]));
            progress?.Report(new WorkProgress("pictures", strips.Count, trials.Count, "rows"));
        }

        return strips;
    }

    private static void Draw(Trial trial, IReadOnlyList<long> seeds, string path, CancellationToken cancellation)
    {
        using var scope = torch.NewDisposeScope();
        var sampler = new BatchSampler(new SamplingLoop(trial.Model.Denoiser, trial.Sampler.Solver, trial.Sampler.Schedule))
        { BatchSize = seeds.Count };
        var batch = sampler.Sample(seeds, cancellationToken: cancellation).Single();
        PngFile.WriteGrid(path, trial.Model.ImagesOf(batch.Images), new GridLayout { Columns = seeds.Count, Gutter = 0 });
    }
}
