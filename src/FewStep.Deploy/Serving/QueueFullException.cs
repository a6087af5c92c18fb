namespace FewStep.Deploy.Serving;

/// <summary>A request found no room in a <see cref="QueuedSampler"/>; a server answers 503 with Retry-After.</summary>
public sealed class QueueFullException : Exception
{
    internal QueueFullException(int waiting, TimeSpan retryAfter)
        : base($"{waiting} images wait already; try again in {Math.Ceiling(retryAfter.TotalSeconds)} s.") => RetryAfter = retryAfter;

    /// <summary>When the images that wait now should be done, by the speed of the last evaluations; a second or more.</summary>
    public TimeSpan RetryAfter { get; }
}
