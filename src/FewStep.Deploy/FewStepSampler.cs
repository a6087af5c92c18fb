using System.Runtime.InteropServices;

namespace FewStep.Deploy;

/// <summary>A few-step sampler from one ONNX file: images of seeds, the same that FewStep's command line and library make.</summary>
/// <remarks>Any number of threads may use it at once. Files are evaluated, so open those of sources that you trust.</remarks>
public sealed class FewStepSampler : IDisposable
{
    /// <summary>The label of no class, where <see cref="SamplerDescription.KnowsNoClass"/>.</summary>
    public const long NoClass = -1;

    private readonly SamplerGraph _graph;
    private readonly FewStepSamplerOptions _options;
    private readonly CountdownEvent _calls = new(1);
    private readonly CancellationTokenSource _end = new();
    private int _disposed;

    private FewStepSampler(SamplerGraph graph, FewStepSamplerOptions options) => (_graph, _options) = (graph, options);

    /// <summary>What the file says of itself.</summary>
    public SamplerDescription Description => _graph.Description;

    /// <summary>Opens a sampler graph, made by <c>fewstep export --to onnx --sampler ...</c>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="options">How it is evaluated; null for the defaults.</param>
    /// <exception cref="SamplerGraphException">It is no sampler graph, or cannot be evaluated as asked.</exception>
    public static FewStepSampler Open(string path, FewStepSamplerOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        options ??= new FewStepSamplerOptions();
        options.Check();
        return new FewStepSampler(SamplerGraph.Open(path, options), options);
    }

    /// <summary>Makes the images of seeds, off the calling thread. An image depends on its seed and label alone, but for
    /// rounding.</summary>
    /// <param name="seeds">One an image, 0 to 4294967295.</param>
    /// <param name="labels">One an image, a class index from 0 or <see cref="NoClass"/>; null for seed mod classes, as the command line
    /// has it. Must be null for a model without classes.</param>
    /// <param name="cancellation">Stops at the next operation of the network.</param>
    /// <exception cref="ArgumentException">A seed or label is out of range, or their numbers differ.</exception>
    /// <exception cref="SamplerGraphException">The evaluation failed.</exception>
    public Task<GeneratedImages> GenerateAsync(
        IReadOnlyList<long> seeds, IReadOnlyList<long>? labels = null, CancellationToken cancellation = default)
    {
        CheckSeeds(seeds);
        long[]? classes = GraphLabels(seeds.Count, labels, i => seeds[i]);
        return Started(() => Generate(DrawLatents(seeds), classes, null, cancellation), cancellation);
    }

    /// <summary>Makes the images of unit noise, off the calling thread.</summary>
    /// <param name="latents">[count, channels, height, width]; not changed, and not to be changed meanwhile.</param>
    /// <param name="labels">One an image; null for its number mod classes.</param>
    /// <param name="cancellation">Stops at the next operation of the network.</param>
    /// <inheritdoc cref="GenerateAsync(IReadOnlyList{long}, IReadOnlyList{long}, CancellationToken)"/>
    public Task<GeneratedImages> GenerateAsync(
        ReadOnlyMemory<float> latents, IReadOnlyList<long>? labels = null, CancellationToken cancellation = default)
    {
        if (latents.Length == 0 || latents.Length % Description.Dimension != 0)
        {
            throw new ArgumentException($"The latents hold {latents.Length} values; an image of {Description.Channels} x "
                + $"{Description.Height} x {Description.Width} takes {Description.Dimension}.", nameof(latents));
        }

        long[]? classes = GraphLabels(latents.Length / Description.Dimension, labels, i => i);
        return Started(() => Generate(MemoryMarshal.AsMemory(latents), classes, null, cancellation), cancellation);
    }

    /// <summary>The unit noise [count, channels, height, width] of seeds, as FewStep draws it.</summary>
    /// <param name="seeds">One an image, 0 to 4294967295.</param>
    public float[] DrawLatents(IReadOnlyList<long> seeds)
    {
        CheckSeeds(seeds);
        float[] latents = new float[checked(seeds.Count * Description.Dimension)];
        for (int i = 0; i < seeds.Count; i++)
            SeedNoise.Fill(seeds[i], latents.AsSpan(i * Description.Dimension, Description.Dimension));
        return latents;
    }

    /// <summary>Stops the evaluations that go on, waits for them and gives the memory back.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        _end.Cancel();
        _calls.Signal();
        _calls.Wait();
        _calls.Dispose();
        _end.Dispose();
        _graph.Dispose();
    }

    internal static void CheckSeeds(IReadOnlyList<long> seeds)
    {
        ArgumentNullException.ThrowIfNull(seeds);
        if (seeds.Count == 0)
            throw new ArgumentException("There is no seed; name one an image.", nameof(seeds));
        foreach (long seed in seeds)
        {
            if (seed is < 0 or > SeedNoise.MaximumSeed)
                throw new ArgumentOutOfRangeException(nameof(seeds), seed, $"A seed lies between 0 and {SeedNoise.MaximumSeed}.");
        }
    }

    /// <summary>Labels as the graph takes them, where the number of classes stands for none; null for a graph without classes.</summary>
    internal long[]? GraphLabels(int count, IReadOnlyList<long>? labels, Func<int, long> number)
    {
        int classes = Description.Classes;
        if (labels is not null && labels.Count != count)
            throw new ArgumentException($"There are {labels.Count} labels for {count} images; give one each.", nameof(labels));
        if (classes == 0)
        {
            return labels is null || labels.All(l => l == NoClass) ? null
                : throw new ArgumentException($"The model {Description.Model} has no classes; leave the labels out.", nameof(labels));
        }

        long[] result = new long[count];
        for (int i = 0; i < count; i++)
        {
            long label = labels is null ? number(i) % classes : labels[i];
            if (label < (Description.KnowsNoClass ? NoClass : 0) || label >= classes)
            {
                throw new ArgumentOutOfRangeException(nameof(labels), label,
                    $"A label lies between 0 and {classes - 1}{(Description.KnowsNoClass ? $", or is {NoClass} for no class" : "")}.");
            }

            result[i] = label == NoClass ? classes : label;
        }

        return result;
    }

    private Task<GeneratedImages> Started(Func<GeneratedImages> work, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0, this);
        return Task.Run(work, cancellation);
    }

    /// <param name="labels">As the graph takes them.</param>
    /// <param name="links">Activities that the images are made for.</param>
    internal GeneratedImages Generate(
        Memory<float> latents, long[]? labels, IEnumerable<ActivityLink>? links, CancellationToken cancellation)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed) != 0 || !_calls.TryAddCount(), this);
        try
        {
            using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _end.Token);
            var (dimension, count) = (Description.Dimension, latents.Length / Description.Dimension);
            float[] images = new float[latents.Length];
            for (int start = 0; start < count; start += _options.BatchSize)
            {
                int size = Math.Min(_options.BatchSize, count - start);
                Evaluate(latents.Slice(start * dimension, size * dimension), labels?[start..(start + size)],
                    images.AsMemory(start * dimension, size * dimension), links, both.Token);
            }

            return new GeneratedImages(Description, images);
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(FewStepSampler), "The sampler was disposed of while it made images.");
        }
        finally
        {
            _calls.Signal();
        }
    }

    private void Evaluate(
        Memory<float> latents, long[]? labels, Memory<float> images, IEnumerable<ActivityLink>? links, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        int count = latents.Length / Description.Dimension;
        using var activity = SamplerTelemetry.Activities.StartActivity(ActivityKind.Internal, links: links, name: "fewstep.batch");
        activity?.SetTag("fewstep.model", Description.Model).SetTag("fewstep.images", count)
            .SetTag("fewstep.evaluations", Description.Evaluations).SetTag("fewstep.provider", _options.Provider.ToString());
        long began = Stopwatch.GetTimestamp();
        try
        {
            _graph.Run(latents, labels, images, cancellation);
        }
        catch (Exception e)
        {
            activity?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }

        SamplerTelemetry.BatchDuration.Record(Stopwatch.GetElapsedTime(began).TotalSeconds);
        SamplerTelemetry.BatchSize.Record(count);
        SamplerTelemetry.Images.Add(count);
    }
}
