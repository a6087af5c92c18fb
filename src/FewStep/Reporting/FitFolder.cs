using FewStep.Data;
using FewStep.Fitting;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Shards;

namespace FewStep.Reporting;

/// <summary>A fit with what it leaves in a folder: sampler files, <c>fit.html</c>, and the loss curve where one was measured.</summary>
internal static class FitFolder
{
    /// <param name="images">Opens the images that a search needs; they are not disposed here.</param>
    /// <param name="division">The stage of divided work that is done; null for all of it.</param>
    /// <returns>What was fitted, in the order in which it was; null after one share of the work.</returns>
    public static IReadOnlyList<WrittenFit>? Write(
        string folder, Model model, ScheduleChoice schedule, IReadOnlyList<int> steps, FitOptions options, FindOptions find,
        Func<IImageSet> images, Division? division, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        FolderOfOneModel.Require(folder, model);
        using var embedding = model.OpenEmbedding(options);
        var samplers = model.OnSchedule(schedule, steps, images, find,
            measured => LossCurveFile.Write(Path.Combine(folder, LossCurveFile.Name), measured), progress, cancellation);
        List<WrittenFit> fits = [];
        var kept = new RefinementFolder(folder);
        var fit = new SamplerFit(model, model.Denoiser, options, find.Seed, embedding) { Division = division, Refinements = kept };
        foreach (var (_, sampler, result) in fit.Fit(samplers, progress, cancellation))
        {
            string path = Path.Combine(folder, FormattableString.Invariant($"n{sampler.Steps}{SamplerFile.Extension}"));
            sampler.Save(path);
            fits.Add(new WrittenFit(sampler, result, path));
        }

        if (division is not null && division.Stage != ShardStage.Merge)
            return null;
        AtomicFile.WriteText(Path.Combine(folder, FitPage.FileName), FitPage.Render(model.Name, options, fits));
        kept.Delete();
        division?.Finish();
        return fits;
    }
}

/// <summary>A sampler that was fitted and written.</summary>
internal sealed record WrittenFit(Sampler Sampler, FittedSchedule Result, string File);
