namespace FewStep.Tuning;

/// <summary>How a tuning went: the content of <c>tuning-curve.json</c>.</summary>
public sealed record TuningReport
{
    /// <summary>Version of the format; 1.</summary>
    public int Version { get; init; } = 1;

    /// <summary>How it was tuned.</summary>
    public required TuningOptions Options { get; init; }

    /// <summary>The schedule's sigmas.</summary>
    public required IReadOnlyList<double> Sigmas { get; init; }

    /// <summary>The schedule's terminal rule.</summary>
    public ScheduleTerminal Terminal { get; init; }

    /// <summary>What the held-out metric is; lower is better.</summary>
    public required string HeldOutMetric { get; init; }

    /// <summary>The curve, from update 0 on, which is the model as it came.</summary>
    public required IReadOnlyList<TuningPoint> Curve { get; init; }

    /// <summary>Updates made.</summary>
    public required int Updates { get; init; }

    /// <summary>Update whose averaged weights were best on held-out data and are kept; 0 where tuning never improved on the model as it
    /// came, null before the first measurement.</summary>
    public int? BestUpdate { get; init; }

    /// <summary>The held-out metric there.</summary>
    public double? BestHeldOut { get; init; }

    /// <summary>Why it ended; null while it runs.</summary>
    public TuningStop? Stop { get; init; }

    /// <summary>The same in one line for people.</summary>
    public required string Explanation { get; init; }

    /// <summary>Wall-clock seconds over all sittings, teacher and measurements included.</summary>
    public double Seconds { get; init; }

    /// <summary>Network evaluations that were counted, over all sittings.</summary>
    public required TuningEvaluations Evaluations { get; init; }
}

/// <summary>One point of a tuning curve.</summary>
/// <param name="Update">Updates so far.</param>
/// <param name="HeldOut">The held-out metric of the averaged weights.</param>
/// <param name="TrainingLoss">Mean training loss of the updates since the point before; null at update 0.</param>
public sealed record TuningPoint(int Update, double HeldOut, double? TrainingLoss = null);

/// <summary>Network evaluations of a tuning, one for each image.</summary>
/// <param name="Teacher">Forward evaluations of the pre-trained model, for training and held-out paths, those repeated on resuming
/// included.</param>
/// <param name="Student">Forward evaluations with a gradient; each was followed by a backward pass.</param>
/// <param name="HeldOut">Forward evaluations without a gradient: of the averaged weights on held-out data, and of those in training where
/// a loss looks at the student's own images or states.</param>
public sealed record TuningEvaluations(long Teacher, long Student, long HeldOut)
{
    /// <summary>All forward evaluations.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public long Forward => Teacher + Student + HeldOut;

    /// <summary>The sum of two counts.</summary>
    /// <param name="a">One.</param>
    /// <param name="b">The other.</param>
    public static TuningEvaluations operator +(TuningEvaluations a, TuningEvaluations b) => Add(a, b);

    /// <summary>The sum of two counts.</summary>
    /// <param name="a">One.</param>
    /// <param name="b">The other.</param>
    public static TuningEvaluations Add(TuningEvaluations a, TuningEvaluations b)
        => new(a.Teacher + b.Teacher, a.Student + b.Student, a.HeldOut + b.HeldOut);
}

/// <summary>Why a tuning ended.</summary>
public enum TuningStop
{
    /// <summary>All updates were made.</summary>
    AllUpdates,

    /// <summary>The held-out metric stopped improving.</summary>
    NoImprovement,

    /// <summary>Somebody cancelled it; it can be resumed.</summary>
    Cancelled,

    /// <summary>A loss was not finite.</summary>
    Diverged,
}

/// <summary>What a tuning gives; whoever received it disposes of it.</summary>
/// <param name="Weights">What was trained, averaged, as it was best on held-out data: flat float32, weights in the model's layout or the
/// numbers of adapters.</param>
internal sealed record TuningResult(Tensor Weights, TuningReport Report) : IDisposable
{
    public void Dispose() => Weights.Dispose();
}
