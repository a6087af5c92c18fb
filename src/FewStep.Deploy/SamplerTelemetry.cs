using System.Diagnostics.Metrics;

namespace FewStep.Deploy;

/// <summary>Names under which samplers and queues can be observed.</summary>
public static class SamplerTelemetry
{
    /// <summary>The meter, of <see cref="System.Diagnostics.Metrics"/>, e.g. for OpenTelemetry's <c>AddMeter</c>.</summary>
    /// <remarks>
    /// <c>fewstep.images</c>: images made; <c>fewstep.batch.size</c>: images of an evaluation; <c>fewstep.batch.duration</c>: seconds of an
    /// evaluation; <c>fewstep.queue.length</c>: images that wait; <c>fewstep.queue.wait</c>: seconds that an image waited;
    /// <c>fewstep.requests</c>: requests to a queue, by <c>outcome</c>: completed, refused, cancelled, failed.
    /// </remarks>
    public const string MeterName = "FewStep.Deploy";

    /// <summary>The source of activities, e.g. for OpenTelemetry's <c>AddSource</c>: <c>fewstep.batch</c>, an evaluation, linked to the
    /// activities of the requests in it.</summary>
    public const string ActivitySourceName = "FewStep.Deploy";

    internal static readonly ActivitySource Activities = new(ActivitySourceName);
    private static readonly Meter Meter = new(MeterName);

    internal static readonly Counter<long> Images = Meter.CreateCounter<long>("fewstep.images", "{image}", "Images made.");
    internal static readonly Histogram<int> BatchSize = Meter.CreateHistogram<int>(
        "fewstep.batch.size", "{image}", "Images of an evaluation.");
    internal static readonly Histogram<double> BatchDuration = Meter.CreateHistogram<double>(
        "fewstep.batch.duration", "s", "Time of an evaluation.");
    internal static readonly UpDownCounter<long> QueueLength = Meter.CreateUpDownCounter<long>(
        "fewstep.queue.length", "{image}", "Images that wait.");
    internal static readonly Histogram<double> QueueWait = Meter.CreateHistogram<double>(
        "fewstep.queue.wait", "s", "Time that an image waited.");
    internal static readonly Counter<long> Requests = Meter.CreateCounter<long>(
        "fewstep.requests", "{request}", "Requests to a queue, by outcome.");
}
