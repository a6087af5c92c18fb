namespace FewStep.Experiments;

/// <summary>One round of fine-tuning (Phase 2).</summary>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record TuningRoundSummary
{
    /// <summary>Number of the round, from 1.</summary>
    public required int Round { get; init; }

    /// <summary>Name of the schedule that it tuned on.</summary>
    public required string Schedule { get; init; }

    /// <summary>Its N+1 noise levels.</summary>
    public required IReadOnlyList<double> Sigmas { get; init; }

    /// <summary>Name of the tuning, as in <see cref="TrialSummary.Tuning"/>.</summary>
    public required string Tuning { get; init; }

    /// <summary>Name of the training loss, e.g. <c>trajectory</c> or <c>denoise</c>.</summary>
    public required string Loss { get; init; }

    /// <summary>What was watched on held-out data or seeds, e.g. <c>squared distance to the teacher's endpoint</c>; above 0, lower is
    /// better.</summary>
    public required string HeldOutMetric { get; init; }

    /// <summary>The curve, in increasing order of updates.</summary>
    public required IReadOnlyList<TuningPointSummary> Points { get; init; }

    /// <summary>Update whose weights were best on the held-out metric, which are those that the round ends with; 0 where those it began
    /// with were, null where nothing was measured.</summary>
    public long? BestUpdate { get; init; }

    /// <summary>Whether the round's model is the one that the run delivers; default true. Of several rounds it is the one whose samples are
    /// closest to the teacher's.</summary>
    public bool IsKept { get; init; } = true;

    /// <summary>Why it ended, e.g. <c>no improvement in 5 checks</c>.</summary>
    public required string StopReason { get; init; }

    /// <summary>Wall-clock time in seconds.</summary>
    public double Seconds { get; init; }
}

/// <summary>One point of a tuning curve.</summary>
/// <param name="Update">Optimizer updates so far; 0 is before the first.</param>
/// <param name="TrainingLoss">Loss of the batch or the mean since the last point; null where only the held-out metric was taken.</param>
/// <param name="HeldOut">The held-out metric; null between checks.</param>
[JsonNumberHandling(JsonNumberHandling.AllowNamedFloatingPointLiterals)]
public sealed record TuningPointSummary(long Update, double? TrainingLoss = null, double? HeldOut = null);
