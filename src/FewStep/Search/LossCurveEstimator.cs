namespace FewStep.Search;

/// <summary>
/// Monte-Carlo estimate of the training loss curve L(sigma) = E |D(x0 + sigma n; sigma) - x0|^2 / dimension on a log-spaced grid, until
/// other images would hardly lead to better schedules, and, where asked for, until the discretization loss of the best schedules is known
/// to a stated relative precision.
/// </summary>
/// <remarks>
/// All noise levels share images and noise (common random numbers), and each image counts with its noise n and -n (antithetic); the mean of
/// the two is one observation. Images are drawn without replacement. The curve is judged at fixed numbers of images, each a quarter above
/// the last, so that the batch size does not matter and there are few looks.
/// </remarks>
internal sealed class LossCurveEstimator
{
    private const double Growth = 1.25;
    private readonly ITrainingImages _images;
    private readonly LossCurveOptions _options;
    private readonly CountingDenoiser _denoiser;
    private readonly double[] _sigmas;

    /// <param name="denoiser">The denoiser whose loss is measured; not disposed.</param>
    public LossCurveEstimator(IDenoiser denoiser, ITrainingImages images, LossCurveOptions? options = null)
    {
        _options = options ?? new LossCurveOptions();
        _options.Validate();
        ImageFit.Check(denoiser, images.Shape, images.Classes, "training");
        if (images.Count < ScheduleRegret.Groups)
            throw new InvalidInputException($"A loss curve needs at least {ScheduleRegret.Groups} images; there are {images.Count}.");
        _images = images;
        _sigmas = SigmaGrid(denoiser);
        _denoiser = new CountingDenoiser(denoiser);
    }

    /// <summary>Noise levels of the curve, ascending.</summary>
    public IReadOnlyList<double> Sigmas => _sigmas;

    private int Limit => (int)Math.Min(_options.MaximumImages, _images.Count);

    public LossCurve Estimate(IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        using var meanImage = new MeanImageLoss();
        return Estimate(batch => Measure(batch, meanImage, cancellation), meanImage, progress);
    }

    /// <summary>Judges losses that are measured, or read, batch by batch as they are asked for.</summary>
    /// <param name="losses">The losses of a batch's images, in their order, and what they cost; it adds them to the mean image.</param>
    public LossCurve Estimate(
        Func<CurveBatch, (double[][] Losses, long Evaluations)> losses, MeanImageLoss meanImage, IProgress<WorkProgress>? progress)
    {
        var watch = Stopwatch.StartNew();
        long evaluations = 0;
        var rows = new ImageLosses(_sigmas.Length);
        string? detail = null;
        foreach (var look in Batches().GroupBy(b => b.Look))
        {
            foreach (var batch in look)
            {
                var (measured, spent) = losses(batch);
                foreach (double[] row in measured)
                    rows.Add(row);
                evaluations += spent;
                progress?.Report(new WorkProgress("loss curve", rows.Images, Limit, "img", detail));
            }

            if (Judge(rows, meanImage, evaluations, watch, ref detail) is { } curve)
                return curve;
        }

        throw new InvalidOperationException("The last look is final.");
    }

    /// <summary>All batches of images that may be measured, in their order. A look at the curve follows on the last batch of each
    /// number.</summary>
    public IEnumerable<CurveBatch> Batches()
    {
        var order = new RandomOrder(_images.Count, _options.Seed);
        int look = Math.Min(_options.FirstLook, Limit), first = 0;
        for (int number = 0; ; number++)
        {
            while (first < look)
            {
                int count = Math.Min(_options.BatchSize / 2, look - first);
                yield return new CurveBatch(number, first, order.Take(count));
                first += count;
            }

            if (look == Limit)
                yield break;
            look = (int)Math.Min(Limit, Math.Ceiling(Growth * look));
        }
    }

    /// <summary>Measures a batch's images.</summary>
    public (double[][] Losses, long Evaluations) Measure(CurveBatch batch, MeanImageLoss meanImage, CancellationToken cancellation)
    {
        long before = _denoiser.Images;
        double[][] measured = new NoisedImageLoss(_denoiser, _options.Seed, meanImage).Measure(
            _images, batch.Indices, _sigmas, cancellation);
        return (measured, _denoiser.Images - before);
    }

    // The curve, where it is good enough or there are no more images.
    private LossCurve? Judge(ImageLosses losses, MeanImageLoss meanImage, long evaluations, Stopwatch watch, ref string? detail)
    {
        double[] mean = losses.Mean();
        double[][] covariance = losses.CovarianceOfMean(mean);
        LossCurve Curve(LossCurveStop stop, double halfWidth, double regret) =>
            new(_sigmas, mean, covariance, losses.Images, new(evaluations, watch.Elapsed.TotalSeconds, stop, halfWidth,
                _options.Seed, _options.ModelHash, regret, meanImage.Value()), _options.Confidence);

        var curve = Curve(LossCurveStop.PrecisionReached, 0, 0);
        double widest = WidestInterval(curve);
        double regret = ScheduleRegret.Widest(curve, losses, _options.Weightings, _options.Steps);
        detail = InvariantText.Of($"schedules lose {100 * regret:0.00} %, losses known to {100 * widest:0.0} %");
        if (regret <= _options.RelativeRegret && !(widest > _options.RelativePrecision))
            return Curve(LossCurveStop.PrecisionReached, widest, regret);
        if (losses.Images < Limit)
            return null;
        return Curve(Limit < _options.MaximumImages ? LossCurveStop.ImagesExhausted : LossCurveStop.ImageLimitReached, widest, regret);
    }

    // The best schedules of the curve so far stand for the ones that will be chosen: near an optimum J hardly depends on the inner noise
    // levels.
    private double WidestInterval(LossCurve curve)
    {
        var search = new DiscretizationLossOptimizer(curve, _options.Weightings, gridSize: 256);
        var request = new ScheduleSearchRequest { Steps = _options.Steps, SigmaMax = _sigmas[^1], SigmaMin = _sigmas[0] };
        return search.Search(request).Max(result => result.Loss.RelativeHalfWidth!.Value);
    }

    private double[] SigmaGrid(IDenoiser denoiser)
    {
        double low = _options.SigmaMin ?? denoiser.SigmaMin;
        double high = _options.SigmaMax ?? denoiser.SigmaMax;
        if (!(low > 0 && low < high) || !double.IsFinite(high))
        {
            throw new InvalidInputException(
                $"The loss curve needs finite noise levels with 0 < sigma_min < sigma_max, not {low:R} and {high:R}: give both.");
        }

        return [.. StandardSchedule.LogSnr().Create(_options.Points - 1, low, high).Sigmas.Reverse()];
    }
}

/// <summary>Images that a loss curve measures together.</summary>
/// <param name="Look">The look at the curve that they are for, from 0.</param>
/// <param name="First">How many come before them.</param>
/// <param name="Indices">Which of the set they are.</param>
internal sealed record CurveBatch(int Look, int First, long[] Indices);
