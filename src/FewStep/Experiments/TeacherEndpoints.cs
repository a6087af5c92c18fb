using FewStep.Checkpoints;
using FewStep.Metrics;
using FewStep.Sampling;

namespace FewStep.Experiments;

/// <summary>A fine teacher's images (latents, of a latent model) of an experiment's seeds: sampled once, kept in the folder, one range at
/// a time in memory.</summary>
internal sealed class TeacherEndpoints(string? folder, Trial teacher, int batchSize) : IDisposable
{
    private const string TensorName = "endpoints";
    private readonly Dictionary<string, (long NetworkEvaluations, double Seconds)> _costs = [];
    private string? _heldKey;
    private EndpointImages? _held;

    /// <summary>Cost of the images that were used, whenever they were sampled.</summary>
    public (long NetworkEvaluations, double Seconds) Cost
        => (_costs.Values.Sum(c => c.NetworkEvaluations), _costs.Values.Sum(c => c.Seconds));

    /// <summary>The same for a metric that compares with them.</summary>
    public FineTeacher ForMetrics => new(teacher.ToString(), teacher.ImagesKey(""), range => Get(range).Images);

    /// <summary>The images of a range, read or sampled.</summary>
    public EndpointImages Get(SeedRange range, Action<int>? sampled = null, CancellationToken cancellation = default)
    {
        string key = teacher.ImagesKey(range, batchSize);
        if (_heldKey != key)
        {
            Release();
            (_held, _heldKey) = (Read(key, range) ?? Sample(key, range, sampled, cancellation), key);
            _costs[key] = (_held.NetworkEvaluations, _held.Seconds);
        }

        return _held!;
    }

    /// <summary>Joins the images of parts of a range that lie in others' folders, in the order of the seeds, unless all are here
    /// already.</summary>
    /// <returns>Whether they are here now.</returns>
    public bool Join(SeedRange range, IReadOnlyList<(SeedRange Range, string Folder)> parts)
    {
        string key = teacher.ImagesKey(range, batchSize), path = PathOf(key)!;
        using var scope = NewDisposeScope();
        if (File.Exists(path))
        {
            var known = Read(key, range)!;
            Attached(known);
            _costs[key] = (known.NetworkEvaluations, known.Seconds);
            return true;
        }

        var joined = new List<EndpointImages>();
        foreach (var (part, place) in parts)
        {
            using var other = new TeacherEndpoints(place, teacher, batchSize);
            if (other.Read(teacher.ImagesKey(part, batchSize), part) is not { } images)
                return false;
            joined.Add(images with { Images = Attached(images) });
        }

        var all = new EndpointImages(
            cat([.. joined.Select(j => j.Images)]), joined.Sum(j => j.NetworkEvaluations), joined.Sum(j => j.Seconds));
        Write(path, key, all);
        _costs[key] = (all.NetworkEvaluations, all.Seconds);
        return true;

        Tensor Attached(EndpointImages images)
        {
            scope.Attach(images.Images);
            return images.Images;
        }
    }

    public void Dispose() => Release();

    private void Release()
    {
        _held?.Images.Dispose();
        (_held, _heldKey) = (null, null);
    }

    private EndpointImages? Read(string key, SeedRange range)
    {
        if (PathOf(key) is not { } path || !File.Exists(path))
            return null;
        var (tensors, metadata) = SafetensorsFile.Read(path);
        if (metadata.GetValueOrDefault("key") == key
            && tensors.TryGetValue(TensorName, out var images)
            && images.shape.AsSpan().SequenceEqual(teacher.Model.Denoiser.Shape.Batch(range.Count))
            && long.TryParse(
                metadata.GetValueOrDefault("network_evaluations"), NumberStyles.None, CultureInfo.InvariantCulture, out long evaluations)
            && double.TryParse(metadata.GetValueOrDefault("seconds"), NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds))
        {
            return new EndpointImages(images.DetachFromDisposeScope(), evaluations, seconds);
        }

        foreach (var tensor in tensors.Values)
            tensor.Dispose();
        throw new InvalidInputException($"{path} does not hold the teacher's images of {range}; delete it to have them sampled again.");
    }

    private EndpointImages Sample(string key, SeedRange range, Action<int>? sampled, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var watch = Stopwatch.StartNew();
        var images = empty(teacher.Model.Denoiser.Shape.Batch(range.Count), dtype: float32);
        var loop = new SamplingLoop(teacher.Model.Denoiser, teacher.Sampler.Solver, teacher.Sampler.Schedule);
        var batches = new BatchSampler(loop) { BatchSize = batchSize };
        long evaluations = 0;
        int done = 0;
        foreach (long[] seeds in range.Batches(batchSize))
        {
            using var batch = batches.Sample(seeds, cancellationToken: cancellation).Single();
            using var target = images.narrow(0, done, seeds.Length);
            target.copy_(batch.Images);
            evaluations += batch.Evaluations;
            done += seeds.Length;
            sampled?.Invoke(seeds.Length);
        }

        if (!images.isfinite().all().item<bool>())
            throw new InvalidInputException($"The teacher ({teacher}) diverged: an image holds NaN or infinity; choose another teacher.");
        var made = new EndpointImages(images.DetachFromDisposeScope(), evaluations, watch.Elapsed.TotalSeconds);
        if (PathOf(key) is { } path)
            Write(path, key, made);
        return made;
    }

    private static void Write(string path, string key, EndpointImages images)
    {
        var metadata = new Dictionary<string, string>
        {
            ["key"] = key,
            ["network_evaluations"] = images.NetworkEvaluations.ToString(CultureInfo.InvariantCulture),
            ["seconds"] = images.Seconds.ToString("R", CultureInfo.InvariantCulture),
        };
        SafetensorsFile.Write(path, new Dictionary<string, Tensor> { [TensorName] = images.Images }, metadata);
    }

    private string? PathOf(string key) => folder is null ? null : Path.Combine(folder, $"{key[..16]}.safetensors");
}

/// <summary>A teacher's images of a seed range [B,C,H,W], float32, and what they cost.</summary>
internal sealed record EndpointImages(Tensor Images, long NetworkEvaluations, double Seconds);
