using FewStep.Checkpoints;
using FewStep.Collectives;
using FewStep.Data;
using FewStep.Networks;

namespace FewStep.Tuning;

/// <summary>A training in a folder: data, checkpoints, exact resume, loss log and the finished model.</summary>
internal sealed class TrainingRun
{
    private const string CheckpointName = "training.safetensors";
    private const string LogName = "training-loss.csv";
    private readonly ModelConfig _config;
    private readonly TrainerOptions _options;
    private readonly TrainingRunOptions _run;
    private readonly IImageSet _images;
    private readonly NetworkDenoiser? _start;
    private readonly TrainingIdentity _identity;

    /// <param name="images">Training images; not disposed.</param>
    /// <param name="start">The model to begin at, built of <paramref name="config"/>; its own weights are not touched, and it is not
    /// disposed. Null for random weights.</param>
    public TrainingRun(ModelConfig config, TrainerOptions options, IImageSet images, TrainingRunOptions run, NetworkDenoiser? start = null)
    {
        options.Validate();
        run.Ranks.RequireWork(options.Batch);
        if (!(run.CheckpointSeconds >= 0))
            throw new InvalidInputException($"The seconds between checkpoints must be 0 or more, not {run.CheckpointSeconds}.");
        (_config, _options, _images, _run, _start) = (config, options, images, run, start);
        if (images.Shape != config.Shape)
            throw new InvalidInputException($"The images are {images.Shape}, the model's configuration says {config.Shape}.");
        if (config.Classes > 0 && images.Classes > config.Classes)
            throw new InvalidInputException($"The images have {images.Classes} classes, the model's configuration {config.Classes}.");

        if (config.Classes > 0 && images.Classes == 0)
        {
            throw new InvalidInputException($"The images have no labels, but the model's configuration has {config.Classes} classes: give "
                + "them labels, by dataset.json or class folders, or take a configuration without classes.");
        }

        // The length is left out: a training may be made longer or shorter than it began.
        var lasting = options with { Images = 1 };
        string? begins = start is null ? null : TrainingIdentity.Hash(start.Weights);
        string all = JsonSerializer.Serialize(config, JsonFile.Options) + JsonSerializer.Serialize(lasting, JsonFile.Options) + images.Hash
            + run.Flip + begins;
        _identity = TrainingIdentity.Of(new { config, options = lasting, images = images.Hash, run.Flip, start = begins }) with
        { Fingerprint = Sha256.Of(all) };
    }

    /// <summary>Trains until all images are seen or the token is cancelled; either way checkpoint and model folder are current
    /// afterwards.</summary>
    public (long Images, bool Done) Execute(
        IProgress<WorkProgress>? progress, Action<TrainingUpdate>? observe, CancellationToken cancellation)
    {
        using var fresh = _start is null ? ModelFolder.Initialize(_config, SeedHash.Derive(_options.Seed, 0)) : null;
        var denoiser = _start ?? fresh!;
        denoiser.ComputeType = _run.ComputeType;
        denoiser.MoveTo(_run.Device);
        using var state = new TrainingState(denoiser.Weights.clone(), _options.AdamW, _options.EmaHalfLifeImages, _run.Ranks)
        { ComputeType = _run.ComputeType };
        string checkpoint = Path.Combine(_run.Folder, CheckpointName);
        if (_run.Ranks.OnFirst(File.Exists(checkpoint)))
            state.Load(checkpoint, _identity);
        else
            ModelFolder.RefuseOther(ModelPath, "training");
        if (state.Remark is { } remark)
            _run.Remark?.Invoke(remark);
        _run.Ranks.RequireSame(InvariantText.Of($"{_identity.Fingerprint} {_options.Images} {state.Updates}"), TrainingIdentity.Shared);
        var batches = new ImageBatches(_images, new ImageBatchOptions
        { BatchSize = _options.Batch, Seed = _options.Seed, Flip = _run.Flip, Part = _run.Ranks.PartOf(_options.Batch) });
        using var queue = new PrefetchingBatches(batches, state.Images, device: _run.Device);
        var log = new LossLog(Path.Combine(_run.Folder, LogName), state.Images);
        var objective = new PretrainingObjective(denoiser, _options, () => queue.Next(CancellationToken.None), Note, _run.Ranks);
        var loop = new TrainingLoop(state, objective);
        var end = loop.Run(() => Save(denoiser, state, checkpoint, log), _run.CheckpointSeconds, cancellation);
        if (loop.Failed is { } failed)
        {
            throw new InvalidInputException($"The training diverged at update {failed.Update} (loss {failed.Loss}); lower the learning "
                + $"rate and start in a new folder.{(File.Exists(checkpoint) ? " The last checkpoint is kept." : "")}");
        }

        Save(denoiser, state, checkpoint, log);
        return (state.Images, end == TrainingEnd.Over);

        void Note(TrainingUpdate update)
        {
            log.Add(update);
            observe?.Invoke(update);
            progress?.Report(new WorkProgress(
                "train", update.Images, _options.Images, "img", $"loss {log.Recent.ToString("F4", CultureInfo.InvariantCulture)}"));
        }
    }

    private string ModelPath => Path.Combine(_run.Folder, "model");

    private void Save(NetworkDenoiser denoiser, TrainingState state, string checkpoint, LossLog log)
    {
        if (_run.Ranks.IsFirst())
            log.Flush();
        state.Save(checkpoint, _identity); // first, so that a model without a checkpoint is another's
        using var scope = NewDisposeScope();
        var averaged = state.Slices.Whole(state.Average!.Weights);
        if (_run.Ranks.IsFirst())
            ModelFolder.Write(ModelPath, _config, denoiser, averaged, ScalarType.BFloat16);
    }
}

/// <summary>Where and how often a training writes.</summary>
internal sealed record TrainingRunOptions
{
    /// <summary>Receives <c>training.safetensors</c> (the checkpoint), <c>training-loss.csv</c> and <c>model/</c> (averaged weights,
    /// bfloat16).</summary>
    public required string Folder { get; init; }

    /// <summary>Training seconds between checkpoints, 0 or more; default 180.</summary>
    public double CheckpointSeconds { get; init; } = 180;

    /// <summary>Told what to know of a checkpoint that is resumed; null (default) for nobody.</summary>
    public Action<string>? Remark { get; init; }

    /// <summary>Type the network computes in, default float32; master weights are float32 always.</summary>
    public ScalarType ComputeType { get; init; } = ScalarType.Float32;

    /// <summary>Where the network is trained; default the processor. A training may be resumed on another device.</summary>
    public Device Device { get; init; } = CPU;

    /// <summary>Who trains together, each with its part of every batch; the first rank writes. Default this process alone. Not disposed.
    /// </summary>
    public ICollective Ranks { get; init; } = SingleProcess.Instance;

    /// <summary>Mirrors half of the images, default false.</summary>
    public bool Flip { get; init; }
}
