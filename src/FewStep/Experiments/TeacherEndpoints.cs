using System.Diagnostics;
using System.Globalization;
using FewStep.Checkpoints;
using FewStep.Metrics;
using FewStep.Platform;
using FewStep.Sampling;
using static TorchSharp.torch;

namespace FewStep.Experiments;

/// <summary>The images that a fine teacher makes of the seeds of a comparison: sampled once for each range and kept in the folder as safetensors, one range at a time in memory.</summary>
/// <param name="folder">Where the files lie.</param>
/// <param name="teacher">The fine sampler.</param>
/// <param name="batchSize">Images sampled at a time, 1 or more.</param>
internal sealed class TeacherEndpoints(string folder, ComparisonCell teacher, int batchSize) : IDisposable
{
    private const string TensorName = "endpoints";
    private string? _heldKey;
    private TeacherImages? _held;

    /// <summary>The fine sampler.</summary>
    public ComparisonCell Teacher => teacher;

    /// <summary>Whether the images of a range lie in the folder.</summary>
    public bool Has(SeedRange range) => File.Exists(PathOf(Key(range)));

    /// <summary>The images of a range, read or sampled.</summary>
    /// <param name="range">The seeds.</param>
    /// <param name="sampled">Told the images of each batch, where they are sampled.</param>
    /// <param name="cancellation">Stops between solver steps; nothing of the range is kept then.</param>
    /// <returns>Images [range.Count,C,H,W] in the order of the seeds, owned here until the next range is asked for.</returns>
    /// <exception cref="InvalidInputException">The file is damaged or cannot be written, or the teacher diverges.</exception>
    public TeacherImages Get(SeedRange range, Action<int> sampled, CancellationToken cancellation)
    {
        string key = Key(range);
        if (_heldKey != key)
        {
            Release();
            (_held, _heldKey) = (Read(key, range) ?? Sample(key, range, sampled, cancellation), key);
        }

        return _held!;
    }

    /// <inheritdoc/>
    public void Dispose() => Release();

    private void Release()
    {
        _held?.Images.Dispose();
        (_held, _heldKey) = (null, null);
    }

    private TeacherImages? Read(string key, SeedRange range)
    {
        string path = PathOf(key);
        if (!File.Exists(path))
        {
            return null;
        }

        var (tensors, metadata) = SafetensorsFile.Read(path);
        if (metadata.GetValueOrDefault("key") == key
            && tensors.TryGetValue(TensorName, out var images)
            && images.shape.AsSpan().SequenceEqual(teacher.Denoiser.Shape.Batch(range.Count))
            && long.TryParse(metadata.GetValueOrDefault("network_evaluations"), NumberStyles.None, CultureInfo.InvariantCulture, out long evaluations)
            && double.TryParse(metadata.GetValueOrDefault("seconds"), NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds))
        {
            return new TeacherImages(images.DetachFromDisposeScope(), evaluations, seconds);
        }

        foreach (var tensor in tensors.Values)
        {
            tensor.Dispose();
        }

        throw new InvalidInputException($"{path} does not hold the teacher's images of {range}; delete it to have them sampled again.");
    }

    private TeacherImages Sample(string key, SeedRange range, Action<int> sampled, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var watch = Stopwatch.StartNew();
        var images = empty(teacher.Denoiser.Shape.Batch(range.Count), dtype: float32);
        var batches = new BatchSampler(new SamplingLoop(teacher.Denoiser, teacher.Solver, teacher.Schedule)) { BatchSize = batchSize };
        long evaluations = 0;
        int done = 0;
        foreach (long[] seeds in range.Batches(batchSize))
        {
            using var batch = batches.Sample(seeds, cancellationToken: cancellation).Single();
            using var target = images.narrow(0, done, seeds.Length);
            target.copy_(batch.Images);
            evaluations += batch.Evaluations;
            done += seeds.Length;
            sampled(seeds.Length);
        }

        if (!images.isfinite().all().item<bool>())
        {
            throw new InvalidInputException($"The teacher ({teacher.Solver.Name} on {teacher.ScheduleName}) diverged: an image holds NaN or infinity; choose another teacher.");
        }

        double spent = watch.Elapsed.TotalSeconds;
        var metadata = new Dictionary<string, string>
        {
            ["key"] = key,
            ["network_evaluations"] = evaluations.ToString(CultureInfo.InvariantCulture),
            ["seconds"] = spent.ToString("R", CultureInfo.InvariantCulture),
        };
        SafetensorsFile.Write(PathOf(key), new Dictionary<string, Tensor> { [TensorName] = images }, metadata);
        return new TeacherImages(images.DetachFromDisposeScope(), evaluations, spent);
    }

    private string Key(SeedRange range) => EvaluationStore.ImagesKey(teacher, range.ToString());

    private string PathOf(string key) => Path.Combine(folder, $"{key[..16]}.safetensors");
}

/// <summary>A teacher's images of a seed range and what they cost.</summary>
/// <param name="Images">Images [B,C,H,W], float32.</param>
/// <param name="NetworkEvaluations">Network evaluations that were counted, one for each image.</param>
/// <param name="Seconds">Wall-clock seconds.</param>
internal sealed record TeacherImages(Tensor Images, long NetworkEvaluations, double Seconds);
