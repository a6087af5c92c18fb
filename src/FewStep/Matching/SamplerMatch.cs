using FewStep.Data;
using FewStep.Fitting;
using FewStep.Metrics;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;

namespace FewStep.Matching;

/// <summary>Matches samplers to real images: moves their inner sigmas, told noise levels and weights until the images that they make have
/// the mean and covariance of real ones. No teacher is needed, so a tuned model's sampler can be matched too.</summary>
/// <param name="network">By whose features images are compared; not disposed.</param>
internal sealed class SamplerMatch(Model model, MatchOptions options, long seed, IClassScorer network)
{
    private const int MostDifferences = 9; // as many as a fit has by default
    private readonly MatchOptions _options = options.Checked();
    private readonly MatchFeatures _features = new(network);

    /// <summary>Where matches are kept, to be gone on with; null (default) for nowhere.</summary>
    public RefinementFolder? Refinements { get; init; }

    /// <summary>By what images are compared, for people.</summary>
    public string Compared => _features.Words(_options.Detail);

    /// <param name="images">Real images; not disposed.</param>
    /// <returns>What each sampler became, when it is asked for.</returns>
    /// <exception cref="InvalidInputException">Images and model do not fit, or a sampler adds noise.</exception>
    public IEnumerable<MatchedSampler> Match(
        IReadOnlyList<Sampler> samplers, IImageSet images, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (samplers.FirstOrDefault(s => s.Steps > ScheduleSearchRequest.MaximumSteps) is { } fine)
        {
            throw new InvalidInputException(
                $"{fine.Steps} steps are too many to match; {ScheduleSearchRequest.MaximumSteps} are the most.");
        }

        var starts = samplers.Select(Start).ToList();
        var counting = new CountingDenoiser(model.Denoiser);
        using var latents = new FitLatents(counting, _options.Latents, _options.HeldOutLatents, _options.BatchSize, _options.Label,
            SeedPlan.Searched(seed));
        using var real = FeatureReference.Measure(Chosen(images), _features, progress: progress, cancellation: cancellation);
        using var weights = _features.Weights(real.Statistics, _options.Detail).DetachFromDisposeScope();
        using var weighted = Weighted(real.Statistics, weights);
        using var distance = new MomentDistance(counting, latents, samples => Features(samples, weights), weighted);
        foreach (var (sampler, start) in samplers.Zip(starts))
        {
            var found = Refined(sampler, start);
            yield return new MatchedSampler(
                found.Iterations == 0 ? sampler : new Sampler(found.Schedule, found.Solver) { Origin = Origin(sampler, found, real) },
                found);
        }

        RefinedSolver Refined(Sampler sampler, FittedSolver start)
        {
            using var inference = no_grad();
            string identity = InvariantText.Of($"match of {model.Identity}\n{_options} from seed {seed} by {_features.Hash}\n")
                + $"{real.ImagesHash}\n{start.Name}";
            return new JointRefinement(counting, start.Base, Kinds(start), latents, distance).Refine(
                sampler.Schedule, start, _options.Iterations, progress, cancellation, Refinements?.Open(identity));
        }
    }

    // A solver that was not fitted begins with corrections of zero, which change nothing.
    private static FittedSolver Start(Sampler sampler) => sampler.Solver as FittedSolver ?? new FittedSolver(
        sampler.Solver, sampler.Schedule, Enumerable.Range(0, sampler.Steps).Select(
            i => StepCorrection.None with { Differences = [.. new double[Math.Min(i, MostDifferences)]] }));

    private static FitCorrections Kinds(FittedSolver start) => FitCorrections.Differences | FitCorrections.Slope
        | (start.Corrections.Any(c => c.Scale != 0) ? FitCorrections.Scale : FitCorrections.None);

    // Of images as they are saved.
    private Tensor? Features(Tensor samples, Tensor weights)
    {
        var decoded = model.ImagesOf(samples);
        if (!isfinite(decoded).all().AsBoolean())
            return null;
        using var images = new MeasuredImages(decoded);
        return images.Features(_features).cpu().to(float64) * weights;
    }

    private static FeatureStatistics Weighted(FeatureStatistics real, Tensor weights)
    {
        using var scope = NewDisposeScope();
        return FeatureStatistics.FromMoments(real.Count, real.Mean() * weights, real.Covariance() * weights.outer(weights));
    }

    // Of each class as many as of any other, as the latents are of all classes in turn.
    private SubsetImageSet Chosen(IImageSet images)
    {
        if (images is OwnSampleSet)
            throw new InvalidInputException("A model's own samples are not what its samplers can be matched to: name real images.");
        int classes = model.Prompts is null ? model.Denoiser.Classes : 0;
        var fitting = model.Fitting(images);
        if (_options.Label is >= 0 and long label)
            return Enough(SubsetImageSet.OfClass(fitting, (int)label, _options.Images, seed));
        if (classes == 0 || fitting.Classes == 0 || _options.Label is not null)
            return Enough(SubsetImageSet.Random(fitting, Math.Min(fitting.Count, _options.Images), seed));
        if (fitting.Classes != classes)
        {
            throw new InvalidInputException($"There are images of {fitting.Classes} classes, but the model has {classes}: what they have "
                + "in common says nothing of the model's images. Give images of all classes, or choose one with a label.");
        }

        int fewest = Enumerable.Range(0, fitting.Count).CountBy(fitting.Label).Where(c => c.Key >= 0).Min(c => c.Value);
        return Enough(SubsetImageSet.Balanced(fitting, Math.Min(fewest * classes, _options.Images), seed));

        static SubsetImageSet Enough(SubsetImageSet chosen) => chosen.Count >= MatchOptions.LeastImages ? chosen
            : throw new InvalidInputException(
                $"There are {chosen.Count} real images to match; at least {MatchOptions.LeastImages} are needed.");
    }

    private SamplerOrigin Origin(Sampler sampler, RefinedSolver found, FeatureReference real) => sampler.Origin with
    {
        Objective = InvariantText.Of($"Fréchet distance ({Compared}) to {real.Images!.Value:N0} real images, held-out latents"),
        Loss = null,
        Evaluations = found.Evaluations + (sampler.Origin.Evaluations ?? 0),
        ModelHash = model.NetworkHash,
        DataHash = real.ImagesHash,
        Seed = seed,
        Fit = null,
        Match = new MatchOrigin
        {
            Images = (int)real.Images.Value,
            Features = Compared,
            Judges = sampler.Origin.Match is { } earlier ? $"{network.Hash} {earlier.Judges}" : network.Hash,
            Latents = _options.Latents,
            HeldOutLatents = _options.HeldOutLatents,
            Guidance = model.Guidance?.ToString(),
            Label = _options.Label,
            Before = found.Before.HeldOut,
            After = found.After.HeldOut,
            Iterations = found.Iterations,
        },
    };
}

/// <summary>What a match made of a sampler.</summary>
/// <param name="Sampler">The sampler as it was where nothing was better.</param>
internal sealed record MatchedSampler(Sampler Sampler, RefinedSolver Result);
