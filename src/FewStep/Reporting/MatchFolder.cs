using FewStep.Data;
using FewStep.Fitting;
using FewStep.Matching;
using FewStep.Sampling;

namespace FewStep.Reporting;

/// <summary>A match with what it leaves in a folder: sampler files and <c>match.html</c>.</summary>
internal static class MatchFolder
{
    /// <param name="samplers">Of different numbers of steps, by which their files are named.</param>
    /// <param name="images">Not disposed.</param>
    /// <returns>What was matched, in their order.</returns>
    public static IReadOnlyList<WrittenMatch> Write(
        string folder, Model model, IReadOnlyList<Sampler> samplers, MatchOptions options, IImageSet images, long seed,
        IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (samplers.GroupBy(s => s.Steps).FirstOrDefault(g => g.Count() > 1) is { } alike)
        {
            throw new InvalidInputException($"{string.Join(" and ", alike)} have {alike.Key} steps both, and files are named by steps: "
                + "match them into folders of their own.");
        }

        FolderOfOneModel.Require(folder, model);
        using var network = options.OpenFeatures(model.Shape, model.Denoiser.Device);
        List<WrittenMatch> matches = [];
        var kept = new RefinementFolder(folder);
        var work = new SamplerMatch(model, options, seed, network) { Refinements = kept };
        foreach (var match in work.Match(samplers, images, progress, cancellation))
        {
            string path = Path.Combine(folder, FormattableString.Invariant($"n{match.Sampler.Steps}{SamplerFile.Extension}"));
            match.Sampler.Save(path);
            matches.Add(new WrittenMatch(match, path));
        }

        string page = MatchPage.Render(model.Name, work.Compared, options, matches);
        AtomicFile.WriteText(Path.Combine(folder, MatchPage.FileName), page);
        kept.Delete();
        return matches;
    }
}

/// <summary>A sampler that was matched and written.</summary>
internal sealed record WrittenMatch(MatchedSampler Match, string File);
