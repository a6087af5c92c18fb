namespace FewStep.Platform;

/// <summary>One of the parts of a longer piece of work, which are counted before it begins.</summary>
/// <param name="Name">What it is, e.g. <c>tuning</c>.</param>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Count">How many there are; the last ones may turn out not to be needed.</param>
internal sealed record WorkPhase(string Name, int Number, int Count);

/// <summary>Progress that says to which part of the whole it belongs.</summary>
internal static class PhasedProgress
{
    /// <summary>Begins a part.</summary>
    /// <returns>What the part tells of its stages; null where nobody listens.</returns>
    public static IProgress<WorkProgress>? Phase(this IProgress<WorkProgress>? progress, string name, int number, int count)
    {
        if (progress is null)
            return null;
        var phase = new WorkPhase(name, number, count);
        var part = new Part(progress, phase);
        part.Report(new WorkProgress(name, 0, 0, "")); // it may be silent for a while
        return part;
    }

    private sealed class Part(IProgress<WorkProgress> whole, WorkPhase phase) : IProgress<WorkProgress>
    {
        // Of parts within parts the outer ones are counted.
        public void Report(WorkProgress value) => whole.Report(value with
        {
            Stage = value.Phase is { } inner
                ? InvariantText.Of($"{inner.Name} {inner.Number} of {inner.Count}, {value.Stage}") : value.Stage,
            Phase = phase,
        });
    }
}
