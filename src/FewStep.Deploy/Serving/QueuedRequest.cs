namespace FewStep.Deploy.Serving;

/// <summary>Images that one caller of a queue waits for; they may be made in several evaluations.</summary>
internal sealed class QueuedRequest(long[] seeds, long[]? labels, SamplerDescription description, CancellationToken cancellation)
{
    // Callers must not go on within the queue's own work.
    private readonly TaskCompletionSource<GeneratedImages> _result = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly float[] _images = new float[checked(seeds.Length * description.Dimension)];
    private int _missing = seeds.Length;

    public int Count => seeds.Length;
    public long Arrived { get; } = Stopwatch.GetTimestamp();
    public ActivityContext Caller { get; } = Activity.Current?.Context ?? default;
    public Task<GeneratedImages> Result => _result.Task;
    public bool IsOver => _result.Task.IsCompleted;

    public long Seed(int index) => seeds[index];
    public long Label(int index) => labels![index];

    public void Take(int index, ReadOnlySpan<float> image)
    {
        image.CopyTo(_images.AsSpan(index * description.Dimension));
        if (--_missing == 0 && _result.TrySetResult(new GeneratedImages(description, _images)))
            CountOutcome("completed");
    }

    public void Cancel()
    {
        if (_result.TrySetCanceled(cancellation))
            CountOutcome("cancelled");
    }

    public void Fail(Exception error)
    {
        if (_result.TrySetException(error))
            CountOutcome("failed");
    }

    public static void CountOutcome(string outcome) =>
        SamplerTelemetry.Requests.Add(1, new KeyValuePair<string, object?>("outcome", outcome));
}
