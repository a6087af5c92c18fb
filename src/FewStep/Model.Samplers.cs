using FewStep.Data;
using FewStep.Fitting;
using FewStep.Matching;
using FewStep.Metrics;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Shards;
using FewStep.Solvers;
using FewStep.Text;

namespace FewStep;

/// <content>Samplers for the model: its own, standard ones, and those that a search finds.</content>
public sealed partial class Model
{
    /// <summary>The sampler that is taken where none is named: the model's own, else <c>ipndm:3</c> on Karras' schedule with 8
    /// steps.</summary>
    public Sampler DefaultSampler => Sampler ?? Make(SamplerChoice.Usual);

    /// <summary>A sampler over the noise levels of the model's schedules, in short: <c>schedule/solver/steps</c>, e.g.
    /// <c>karras/ipndm:3/6</c>, or the path of a file.</summary>
    /// <param name="sampler">The short form or the path.</param>
    /// <exception cref="InvalidInputException">A name is unknown, the file is invalid, or its sigmas leave the model's noise
    /// levels.</exception>
    public Sampler CreateSampler(string sampler) => Make(SamplerChoice.Parse(sampler));

    /// <summary>A sampler over the noise levels of the model's schedules.</summary>
    /// <param name="schedule">Name of a standard schedule, e.g. <c>karras</c> or <c>flow:3</c>, or the path of a file.</param>
    /// <param name="solver">The solver, e.g. <c>euler</c> or <c>ipndm:3</c>.</param>
    /// <param name="steps">Number of steps, 1 or more.</param>
    /// <exception cref="InvalidInputException">A name is unknown, the file is invalid or of another number of steps, or its sigmas leave
    /// the model's noise levels.</exception>
    public Sampler CreateSampler(string schedule, string solver, int steps)
        => Make(SamplerChoice.Of(ScheduleChoice.Parse(schedule), SolverCatalog.Find(solver), steps));

    /// <summary>Finds the sampler that suits the model best: by default Phase 1's sigmas, on a loss curve that it measures first, with the
    /// solver's weights fitted on them.</summary>
    /// <param name="train">Images that the model was trained on, or others of their kind; not disposed.</param>
    /// <param name="steps">Number of steps, 1 to 100.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Told how far it is; null for nobody.</param>
    /// <param name="cancellation">Stops the search.</param>
    /// <exception cref="InvalidInputException">Options are out of range, or model and images do not fit.</exception>
    public Sampler FindSampler(IImageSet train, int steps, FindOptions? options = null, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default) =>
        FindSamplers(train, [steps], options, progress, cancellation)[0];

    /// <summary>Finds samplers of several numbers of steps, which one loss curve and one teacher path a latent serve.</summary>
    /// <param name="train">Images that the model was trained on, or others of their kind; not disposed.</param>
    /// <param name="steps">Numbers of steps, each 1 to 100.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="progress">Told how far it is; null for nobody.</param>
    /// <param name="cancellation">Stops the search.</param>
    /// <returns>One for each number of steps, in their order.</returns>
    /// <exception cref="InvalidInputException">Options are out of range, or model and images do not fit.</exception>
    public IReadOnlyList<Sampler> FindSamplers(
        IImageSet train, IReadOnlyList<int> steps, FindOptions? options = null, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(train);
        options ??= new FindOptions();
        var search = new SamplerSearch(this, () => train, steps, options);
        Sampler[] found = [.. search.Find([ScheduleOptimizerCatalog.Find(options.Search)], progress, cancellation).Take(steps.Count)
            .Select(f => f.Sampler)];
        return options.FitsSolver
            ? FitSamplers(found, new FitOptions { Solver = options.Solver }, options.Seed, progress, cancellation) : found;
    }

    /// <summary>Fits the solver's weights of samplers to this model, in closed form and without gradients. The sigmas stay, unless the
    /// options refine them, or where they are Phase 1's and standard ones end nearer to the teacher on held-out latents.</summary>
    /// <param name="samplers">Where their sigmas came from; their solvers are replaced.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="seed">Seed of the latents, 0 or more.</param>
    /// <param name="progress">Told how far it is; null for nobody.</param>
    /// <param name="cancellation">Stops the fit.</param>
    /// <returns>What they became, in their order; with the base solver where a fit was no better on held-out latents.</returns>
    /// <exception cref="InvalidInputException">Options are out of range.</exception>
    public IReadOnlyList<Sampler> FitSamplers(IReadOnlyList<Sampler> samplers, FitOptions? options = null, long seed = 0,
        IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        options ??= new();
        using var embedding = OpenEmbedding(options);
        return [.. new SamplerFit(this, Denoiser, options, seed, embedding).Fit(samplers, progress, cancellation)
            .OrderBy(f => f.Index).Select(f => f.Sampler)];
    }

    /// <summary>Matches samplers to real images: their inner sigmas, told noise levels and weights become those whose images have the mean
    /// and covariance of real ones, on the features of a network. A tuned model's sampler can be matched as well as a fitted one.</summary>
    /// <param name="samplers">Samplers of this model, with solvers that add no noise.</param>
    /// <param name="images">Images that the model was trained on, or others of their kind; not disposed.</param>
    /// <param name="features">By whose features: a classifier's folder, or a file of Inception-v3's weights. Whatever judges the samplers
    /// afterwards should be another network.</param>
    /// <param name="latents">Latents whose images are matched, 256 or more; half as many judge.</param>
    /// <param name="seed">Seed of latents and of the choice of images, 0 or more.</param>
    /// <param name="detail">Weight of the images' finest detail beside the features, 0 to 1000. At 0 grain may stand in for detail that few
    /// steps lose; more makes clean images at some Fréchet distance.</param>
    /// <param name="progress">Told how far it is; null for nobody.</param>
    /// <param name="cancellation">Stops the match.</param>
    /// <returns>What they became, in their order; each as it was where nothing was nearer to the images on held-out latents.</returns>
    /// <exception cref="InvalidInputException">Options are out of range, or model, samplers and images do not fit.</exception>
    public IReadOnlyList<Sampler> MatchSamplers(IReadOnlyList<Sampler> samplers, IImageSet images, string features,
        int latents = MatchOptions.UsualLatents, long seed = 0, double detail = MatchOptions.UsualDetail,
        IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        int heldOut = Math.Max(MatchOptions.LeastImages, latents / 2);
        var options = MatchOptions.By(features) with { Latents = latents, HeldOutLatents = heldOut, Detail = detail };
        using var network = options.Checked().OpenFeatures(Shape, Denoiser.Device);
        return [.. new SamplerMatch(this, options, seed, network)
            .Match([.. samplers.Select(s => Checked(s, $"{s}"))], images, progress, cancellation).Select(m => m.Sampler)];
    }

    /// <summary>Where a fit to this model measures distances; the caller owns it.</summary>
    internal IImageEmbedding OpenEmbedding(FitOptions options)
        => ImageEmbeddings.Open(options.ImageDistance(Network is not null), Network, Denoiser.Shape, Denoiser.Device);

    /// <summary><see cref="FindSampler"/> on another thread.</summary>
    /// <inheritdoc cref="FindSampler"/>
    public Task<Sampler> FindSamplerAsync(
        IImageSet train, int steps, FindOptions? options = null, IProgress<WorkProgress>? progress = null,
        CancellationToken cancellation = default) =>
        Task.Run(() => FindSampler(train, steps, options, progress, cancellation), cancellation);

    /// <summary>The sampler of a choice, searched for where that is needed.</summary>
    internal Sampler Make(
        SamplerChoice choice, ISolver usual, Func<IImageSet> images, FindOptions options, IProgress<WorkProgress>? progress,
        CancellationToken cancellation)
    {
        if (choice.MakeFor(this, usual) is { } made)
            return Checked(made, choice.Schedule.Name);
        options = options with { Solver = (choice.Solver ?? usual).Name };
        var search = new SamplerSearch(this, images, [choice.Steps!.Value], options);
        return search.Find([((ScheduleChoice.Searched)choice.Schedule).Optimizer], progress, cancellation)[0].Sampler;
    }

    /// <summary>Samplers on one schedule, searched for where that is needed; a file has its own number of steps.</summary>
    internal IReadOnlyList<Sampler> OnSchedule(ScheduleChoice schedule, IReadOnlyList<int> steps, Func<IImageSet> images,
        FindOptions options, Action<LossCurve>? curveMeasured, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        if (schedule is ScheduleChoice.Searched searched)
        {
            var search = new SamplerSearch(this, images, steps, options) { CurveMeasured = curveMeasured };
            return [.. search.Find([searched.Optimizer], progress, cancellation).Take(steps.Count).Select(f => f.Sampler)];
        }

        var solver = SolverCatalog.Find(options.Solver);
        var numbers = schedule is ScheduleChoice.Given given ? [given.Schedule.Steps] : steps;
        return [.. numbers.Select(n => SamplerChoice.Of(schedule, solver, n).MakeFor(this, solver)!)];
    }

    /// <summary>Measures the training loss curve, over the noise levels of the schedules where the options name no others.</summary>
    internal LossCurve MeasureCurve(
        IImageSet images, LossCurveOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellation)
        => MeasureCurve(images, options, null, progress, cancellation)!;

    /// <summary>The same, or a stage of it.</summary>
    /// <returns>The curve; null after one share of the work.</returns>
    internal LossCurve? MeasureCurve(
        IImageSet images, LossCurveOptions options, Division? division, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        var own = images as OwnSampleSet;
        options = options with
        {
            ModelHash = Hash,
            SigmaMin = options.SigmaMin ?? ScheduleRange.SigmaMin,
            SigmaMax = options.SigmaMax ?? ScheduleRange.SigmaMax,
        };
        var work = new DividedLossCurve(new LossCurveEstimator(Denoiser, Trained(images), options),
            () => options.Identity(Identity, images.Hash), () => own?.Evaluations ?? 0, progress, cancellation);
        var measured = division is null ? work.Whole() : division.Run(work);
        return measured is null || own is null ? measured?.Curve : measured.Curve.MeasuredOn(own.Words, measured.ImagesCost);
    }

    /// <summary>The model's own fine samples, to stand for images that it was trained on where there are none: a loss curve measured on
    /// them costs their evaluations too. Made when they are read, without guidance.</summary>
    /// <param name="count">How many there may be, 8 to 10,000; null (default) for 1,024, or as many as 1 GiB holds.</param>
    /// <param name="seed">Seed of the run; none of their seeds is sampled, searched, tuned or judged with.</param>
    /// <returns>The samples, which the caller disposes of before the model.</returns>
    /// <exception cref="InvalidInputException">The number is out of range.</exception>
    public IImageSet OwnSamples(int? count = null, long seed = 0) => new OwnSampleSet(this, count, seed);

    /// <summary>Images with the labels that mean something to the model: to one of prompts, each image's own where the prompts are captions
    /// of images of those names; else classes mean nothing to it, and the empty or negative prompt is taken for all.</summary>
    /// <exception cref="InvalidInputException">They do not fit the model.</exception>
    internal IImageSet Fitting(IImageSet images)
    {
        var own = Prompts is null || images is OwnSampleSet or CaptionedImageSet ? images
            : CaptionedImageSet.Pair(images, Prompts.Images) ?? (IImageSet)new UnlabelledImageSet(images);
        ImageFit.Check(Denoiser, Autoencoder, own.Shape, own.Classes, "training");
        return own;
    }

    /// <summary>Images as the denoiser was trained on them: encoded where it works on latents.</summary>
    /// <exception cref="InvalidInputException">They do not fit the model.</exception>
    internal ITrainingImages Trained(IImageSet images)
    {
        if (images is OwnSampleSet own)
            return own;
        var read = new TrainingImages(Fitting(images));
        return Autoencoder is null ? read : new EncodedImages(read, Autoencoder, Denoiser.Shape);
    }

    /// <summary>Refuses a sampler whose sigmas leave the model's noise levels, or that was fitted to another model.</summary>
    internal Sampler Checked(Sampler sampler, string name)
    {
        ScheduleRange.Check(sampler.Schedule, name, Denoiser);
        // A model that was tuned to a sampler keeps it, as long as nothing guides it.
        bool isOwn = Guidance is null && sampler.Solver.Equals(Sampler?.Solver);
        if (sampler is { Solver: FittedSolver, Origin: { IsForAnyModel: false, ModelHash: var hash } } && hash != NetworkHash && !isOwn)
        {
            throw new InvalidInputException($"Sampler {sampler} was fitted to another model than {Name}, or to other guidance, and is "
                + "wrong here. Fit one to this model, or say that any model will do.");
        }

        return sampler;
    }

    /// <summary>The sampler of a choice that is not searched for.</summary>
    internal Sampler Make(SamplerChoice choice) => choice.MakeFor(this, SolverCatalog.Find("euler")) is { } made
        ? Checked(made, choice.Schedule.Name)
        : throw new InvalidInputException($"{choice.Schedule.Name} searches, which takes images: find its sampler first "
            + $"({nameof(FindSampler)}; on the command line schedule or fit), and name that.");
}
