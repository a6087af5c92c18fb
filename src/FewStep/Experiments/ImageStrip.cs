using FewStep.Data;
using FewStep.Platform;
using FewStep.Sampling;
using TorchSharp;

namespace FewStep.Experiments;

/// <summary>Draws the rows of sample images of a report.</summary>
public static class ImageStrip
{
    /// <summary>Most images in a strip.</summary>
    public const int MaximumImages = 64;

    /// <summary>Samples some seeds under one combination and writes them side by side.</summary>
    /// <param name="cell">The combination; its label in the report is its schedule and tuning.</param>
    /// <param name="seeds">1 to <see cref="MaximumImages"/> image seeds; labels are seed mod classes.</param>
    /// <param name="folder">The run folder.</param>
    /// <param name="path">The PNG file relative to it, with forward slashes.</param>
    /// <param name="cancellation">Stops between solver steps.</param>
    /// <exception cref="ArgumentException">There are no seeds, or too many.</exception>
    /// <exception cref="InvalidInputException">An image holds NaN, or the file cannot be written.</exception>
    public static ImageStripSummary Draw(ComparisonCell cell, IReadOnlyList<long> seeds, string folder, string path, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(cell);
        if (seeds.Count is < 1 or > MaximumImages)
        {
            throw new ArgumentException($"A strip has 1 to {MaximumImages} images, not {seeds.Count}.", nameof(seeds));
        }

        using var scope = torch.NewDisposeScope();
        var sampler = new BatchSampler(new SamplingLoop(cell.Denoiser, cell.Solver, cell.Schedule)) { BatchSize = seeds.Count };
        var batch = sampler.Sample(seeds, cancellationToken: cancellation).Single();
        PngFile.WriteGrid(Path.Combine(folder, path), batch.Images, new GridLayout { Columns = seeds.Count, Gutter = 0 });
        return new ImageStripSummary
        {
            Label = cell.Tuning is null ? cell.ScheduleName : $"{cell.ScheduleName} + {cell.Tuning}",
            Schedule = cell.ScheduleName,
            Tuning = cell.Tuning,
            Solver = cell.Solver.Name,
            EvaluationsPerImage = (double)batch.Evaluations / seeds.Count,
            Path = path,
            Seeds = [.. seeds],
        };
    }
}
