namespace FewStep.Search;

/// <summary>How to measure a training loss curve, and how well.</summary>
public sealed record LossCurveOptions
{
    /// <summary>Noise levels on the log-spaced grid, 8 to <see cref="LossCurve.MaximumPoints"/>; default 32. An image costs twice as many
    /// network evaluations.</summary>
    public int Points { get; init; } = 32;

    /// <summary>Smallest noise level, above 0; null for that of the model's schedules.</summary>
    public double? SigmaMin { get; init; }

    /// <summary>Largest noise level; null for that of the model's schedules.</summary>
    public double? SigmaMax { get; init; }

    /// <summary>Noised images in one call of the denoiser, at least 2; default 128. It changes speed and memory, and the numbers only as
    /// far as the network's rounding does.</summary>
    public int BatchSize { get; init; } = 128;

    /// <summary>Images before the curve is first judged, 8 or more; null (default) for 64, or all where fewer are allowed.</summary>
    public int? MinimumImages { get; init; }

    /// <summary>Most images, 8 or more and not below <see cref="MinimumImages"/>; default 1,024.</summary>
    public int MaximumImages { get; init; } = 1024;

    /// <summary>
    /// Stop when a schedule found on the curve is expected to lose at most this, for every number of steps and weighting: relative to the
    /// part of the discretization loss that schedules can change, for having seen these images and no others. Above 0, default 0.01.
    /// </summary>
    public double RelativeRegret { get; init; } = 0.01;

    /// <summary>If given, go on until the losses themselves are known as well: half-width of the confidence interval of the discretization
    /// loss, relative to it, for every number of steps and weighting; above 0.</summary>
    public double? RelativePrecision { get; init; }

    /// <summary>Confidence of the intervals, 0.5 to 0.9999; default 0.95.</summary>
    public double Confidence { get; init; } = 0.95;

    /// <summary>Numbers of steps whose best schedules are judged; default 3, 4, 6, 8 and 10.</summary>
    public IReadOnlyList<int> Steps { get; init; } = [3, 4, 6, 8, 10];

    /// <summary>Weightings whose losses are judged; default power 0.</summary>
    internal IReadOnlyList<INoiseWeighting> Weightings { get; init; } = [new PowerWeighting()];

    /// <summary>The run's seed, at least 0; default 0. It chooses images and noise.</summary>
    public long Seed { get; init; }

    /// <summary>Recorded with the curve, so that it is not taken for another model's; null (default) for nothing.</summary>
    public string? ModelHash { get; init; }

    internal int FirstLook => MinimumImages ?? Math.Max(8, Math.Min(64, MaximumImages));

    /// <summary>All that determines a curve, as text.</summary>
    internal string Identity(string model, string images) => InvariantText.Of($"loss curve of {model}\n{images}\n{Points} ")
        + InvariantText.Of($"{SigmaMin:R} {SigmaMax:R} {BatchSize} {FirstLook} {MaximumImages} {RelativeRegret:R} {RelativePrecision:R} ")
        + InvariantText.Of($"{Confidence:R} {Seed}\n{string.Join(' ', Steps)}\n{string.Join(' ', Weightings.Select(w => w.Name))}");

    /// <summary>Checks all values at once.</summary>
    /// <exception cref="InvalidInputException">Values break their rules; the message names them all.</exception>
    public void Validate()
    {
        var rules = new OptionRules("The loss curve cannot be measured");
        rules.Require(
            Points is >= 8 and <= LossCurve.MaximumPoints, $"points must lie between 8 and {LossCurve.MaximumPoints}, not {Points}");
        rules.Require(BatchSize >= 2, $"the batch size must be at least 2, not {BatchSize}");
        rules.Require(FirstLook >= 8, $"the fewest images must be at least 8, not {FirstLook}");
        rules.Require(MaximumImages >= FirstLook, $"the most images must not be below the fewest ({FirstLook}), but are {MaximumImages}");
        rules.Require(RelativeRegret > 0, $"the relative regret must be above 0, not {RelativeRegret}");
        rules.Require(RelativePrecision is null or > 0, $"the relative precision must be above 0, not {RelativePrecision}");
        rules.Require(Confidence is >= 0.5 and <= 0.9999, $"the confidence must lie between 0.5 and 0.9999, not {Confidence}");
        rules.Require(Steps.Count > 0 && Steps.All(n => n is >= 1 and <= ScheduleSearchRequest.MaximumSteps),
            $"steps must be one or more numbers from 1 to {ScheduleSearchRequest.MaximumSteps}");
        rules.Require(Weightings.Count > 0, $"there must be a weighting to judge the curve by");
        rules.Require(Seed >= 0, $"the seed must be at least 0, not {Seed}");
        rules.Check();
    }
}
