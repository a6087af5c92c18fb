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

    public LossCurve Estimate(IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        var watch = Stopwatch.StartNew();
        long before = _denoiser.Images;
        var losses = new ImageLosses(_sigmas.Length);
        using var meanImage = new MeanImageLoss();
        var loss = new NoisedImageLoss(_denoiser, _options.Seed, meanImage);
        var order = new RandomOrder(_images.Count, _options.Seed);
        int limit = (int)Math.Min(_options.MaximumImages, _images.Count);
        int look = Math.Min(_options.FirstLook, limit);
        string? detail = null;
        while (true)
        {
            while (losses.Images < look)
            {
                long[] indices = order.Take(Math.Min(_options.BatchSize / 2, look - losses.Images));
                foreach (double[] row in loss.Measure(_images, indices, _sigmas, cancellation))
                    losses.Add(row);
                progress?.Report(new WorkProgress("loss curve", losses.Images, limit, "img", detail));
            }

            double[] mean = losses.Mean();
            double[][] covariance = losses.CovarianceOfMean(mean);
            LossCurve Curve(LossCurveStop stop, double halfWidth, double regret) =>
                new(_sigmas, mean, covariance, losses.Images, new(_denoiser.Images - before, watch.Elapsed.TotalSeconds, stop, halfWidth,
                    _options.Seed, _options.ModelHash, regret, meanImage.Value()), _options.Confidence);

            var curve = Curve(LossCurveStop.PrecisionReached, 0, 0);
            double widest = WidestInterval(curve);
            double regret = ScheduleRegret.Widest(curve, losses, _options.Weightings, _options.Steps);
            detail = InvariantText.Of($"schedules lose {100 * regret:0.00} %, losses known to {100 * widest:0.0} %");
            if (regret <= _options.RelativeRegret && !(widest > _options.RelativePrecision))
                return Curve(LossCurveStop.PrecisionReached, widest, regret);
            if (losses.Images == limit)
            {
                return Curve(
                    limit < _options.MaximumImages ? LossCurveStop.ImagesExhausted : LossCurveStop.ImageLimitReached, widest, regret);
            }

            look = (int)Math.Min(limit, Math.Ceiling(Growth * look));
        }
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
