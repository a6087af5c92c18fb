using FewStep.Sampling;

namespace FewStep.Search;

/// <summary>What schedules a search is to find.</summary>
public sealed record ScheduleSearchRequest
{
    /// <summary>Largest number of steps that can be asked for.</summary>
    public const int MaximumSteps = 100;

    /// <summary>Numbers of solver steps N, each 1 to <see cref="MaximumSteps"/>; one schedule each is found.</summary>
    public required IReadOnlyList<int> Steps { get; init; }

    /// <summary>First noise level of every schedule.</summary>
    public required double SigmaMax { get; init; }

    /// <summary>Last noise level of every schedule, above 0.</summary>
    public required double SigmaMin { get; init; }

    /// <summary>What happens at the last noise level; default <see cref="ScheduleTerminal.SigmaMin"/>.</summary>
    public ScheduleTerminal Terminal { get; init; } = ScheduleTerminal.SigmaMin;

    /// <summary>The request for a model's schedules.</summary>
    internal static ScheduleSearchRequest For(Model model, IReadOnlyList<int> steps)
        => new() { Steps = steps, SigmaMin = model.ScheduleRange.SigmaMin, SigmaMax = model.ScheduleRange.SigmaMax };

    /// <summary>Runs a fine teacher between the ends of the schedules.</summary>
    internal PairedComparison WithHeun(PairedSampling sampling, SeedList seeds, int steps, CancellationToken cancellation) =>
        PairedComparison.WithHeun(sampling, seeds, SigmaMin, SigmaMax, Terminal, steps, cancellation);

    /// <summary>Checks all values at once.</summary>
    /// <exception cref="InvalidInputException">Values break their rules; the message names them all.</exception>
    public void Validate() =>
        new OptionRules("The schedule search cannot start")
            .Require(Steps.Count > 0 && Steps.All(n => n is >= 1 and <= MaximumSteps),
                $"steps must be one or more numbers from 1 to {MaximumSteps}, not '{string.Join(", ", Steps)}'")
            .Require(SigmaMin > 0 && SigmaMin < SigmaMax && double.IsFinite(SigmaMax),
                $"noise levels must be finite with 0 < sigma_min < sigma_max, not {SigmaMin:R} and {SigmaMax:R}")
            .Check();
}
