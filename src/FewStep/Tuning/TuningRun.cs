using FewStep.Checkpoints;
using FewStep.Collectives;
using FewStep.Networks;
using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>A tuning in a folder: checkpoints, exact resume, the curve, the best model and its snapshots.</summary>
internal sealed class TuningRun
{
    private const string CheckpointName = "tuning.safetensors", CurveName = "tuning-curve.json", SnapshotsName = "snapshots";
    private readonly ModelConfig _config;
    private readonly NetworkDenoiser _model;
    private readonly Sampler _sampler;
    private readonly TuningRunOptions _run;
    private readonly Tuner _tuner;
    private readonly Tensor? _start;
    private readonly TrainingIdentity _identity;

    /// <param name="model">The pre-trained model, which is the teacher; not changed and not disposed.</param>
    /// <param name="images">Images, which only the denoising loss needs; not disposed.</param>
    /// <param name="start">As <see cref="Tuner.Run(Tensor, TuningObserver, CancellationToken)"/> takes it; not disposed, and needed until
    /// the run is over.</param>
    /// <param name="embedding">As <see cref="Tuner"/> takes it.</param>
    public TuningRun(
        ModelConfig config, NetworkDenoiser model, Sampler sampler, TuningOptions options, TuningRunOptions run,
        TuningImages? images = null, Tensor? start = null, TuningTeacher? teacher = null, IImageEmbedding? embedding = null)
    {
        run.Validate();
        var schedule = sampler.Schedule;
        _tuner = new Tuner(model, sampler, options, images, teacher?.Denoiser, embedding, run.Ranks);
        (_config, _model, _sampler, _run, _start) = (config, model, sampler, run, start);
        if (_tuner.Trained.Adapters is not null)
            LoraWriter.Check(model.Network, run.LoraNames);

        // The length is left out: a tuning may be made longer or shorter than it began; the learning rate and regression's
        // share of starts then follow the new length. So is what takes less memory for the same.
        var lasting = _tuner.Options with { Updates = 1, SnapshotFractions = [], CheckpointActivations = null };
        var used = _tuner.Options.Loss == TuningLoss.Denoise ? images : null;
        _identity = TrainingIdentity.Of(new
        {
            Config = config,
            Options = lasting,
            schedule.Sigmas,
            schedule.Terminal,
            Model = TrainingIdentity.Hash(model.Weights),
            Adapted = _tuner.Trained.Adapters?.Layers.Select(layer => layer.Name),
            Start = start is null ? null : TrainingIdentity.Hash(start),
            Training = used?.Training.Hash,
            HeldOut = used?.HeldOut.Hash,
            used?.Flip,
            Teacher = teacher?.Identity,
            Distance = embedding?.Identity,
        });
    }

    /// <summary>The folder of the best model with its sampler, once <see cref="Execute"/> has returned: that of the run.</summary>
    public string ModelPath => _run.Folder;

    /// <summary>The file of the best LoRA; null where all weights are tuned.</summary>
    public string? LoraPath => _tuner.Trained.Adapters is null ? null : Path.Combine(_run.Folder, TunedLora.FileName);

    /// <summary>Whether the folder becomes a model folder: not where a LoRA is for a network of prompts, whose text encoders such a folder
    /// cannot hold.</summary>
    public bool WritesModel => _tuner.Trained.Adapters is null || _model.Conditions is ClassConditions;

    /// <summary>The folder of the snapshot at an update.</summary>
    public string SnapshotPath(int update) => Path.Combine(_run.Folder, SnapshotsName, InvariantText.Of($"update-{update}"));

    /// <summary>Tunes, from the folder's checkpoint where there is one. Unless it throws, checkpoint, curve and model folder are current
    /// afterwards.</summary>
    public TuningReport Execute(TuningObserver? observer = null, CancellationToken cancellation = default)
    {
        using var state = _tuner.Begin(_start);
        string checkpoint = Path.Combine(_run.Folder, CheckpointName);
        if (_run.Ranks.OnFirst(File.Exists(checkpoint)))
        {
            state.Load(checkpoint, _identity);
            if (state.Updates > _tuner.Options.Updates)
            {
                throw new InvalidInputException($"{checkpoint} has {state.Updates} updates already, more than the {_tuner.Options.Updates} "
                    + "that are asked for; ask for as many or more, or choose another folder.");
            }
        }
        else
        {
            RefuseOther();
        }

        _run.Ranks.RequireSame(InvariantText.Of(
            $"{_identity.Fingerprint} {_tuner.Options.Updates} {state.Updates} {_run.WriteSnapshots}"), TrainingIdentity.Shared);
        if (state.Training.Remark is { } remark)
            _run.Remark?.Invoke(remark);
        var report = _tuner.Run(
            state, WithSnapshots(observer ?? new TuningObserver()), soFar => Save(state, soFar), _run.CheckpointSeconds, cancellation);
        Save(state, report);
        return report;
    }

    private TuningObserver WithSnapshots(TuningObserver observer) => !_run.WriteSnapshots ? observer : observer with
    {
        Snapshot = snapshot =>
        {
            Write(SnapshotPath(snapshot.Point.Update), snapshot.Weights, isLast: true);
            observer.Snapshot?.Invoke(snapshot);
        },
    };

    private void Save(TuningState state, TuningReport report)
    {
        // First, so that a model without a checkpoint is another's.
        state.Save(Path.Combine(_run.Folder, CheckpointName), _identity);
        using var scope = NewDisposeScope();
        Write(ModelPath, state.Best(), isLast: report.Stop is not null);
        if (_run.Ranks.IsFirst())
            JsonFile.Write(Path.Combine(_run.Folder, CurveName), report);
    }

    private void Write(string folder, Tensor trained, bool isLast)
    {
        if (!_run.Ranks.IsFirst())
            return;
        bool isLora = _tuner.Trained.Adapters is not null;
        if (isLora)
        {
            new TunedLora(_tuner.Trained, trained, _sampler, _run.ModelHash)
                .Save(Path.Combine(folder, TunedLora.FileName), _run.LoraNames, _run.StoredType);
        }

        if (WritesModel && (isLast || !isLora)) // fusing takes the memory of all weights
        {
            using var scope = NewDisposeScope();
            ModelFolder.Write(folder, _config, _model, _tuner.Trained.Weights(trained), _run.StoredType, _run.Pipeline);
        }

        _sampler.Save(Path.Combine(folder, Model.SamplerName));
    }

    private void RefuseOther()
    {
        if (LoraPath is { } path && File.Exists(path))
        {
            throw new InvalidInputException(
                $"{path} is not of this tuning (there is no checkpoint beside it); choose another folder.");
        }

        ModelFolder.RefuseOther(_run.Folder, "tuning");
    }
}

/// <summary>Where and how often a tuning writes.</summary>
internal sealed record TuningRunOptions
{
    /// <summary>
    /// Becomes a model folder with the best averaged weights so far and the sampler that they are tuned to, beside
    /// <c>tuning.safetensors</c> (the checkpoint), <c>tuning-curve.json</c> and, at the fractions of the options,
    /// <c>snapshots/update-N/</c> (a model folder with the averaged weights at that update). Of adapters <c>lora.safetensors</c> is written
    /// too, and the model folder when the tuning ends, unless the model takes prompts.
    /// </summary>
    public required string Folder { get; init; }

    /// <summary>Seconds between checkpoints, 0 or more; default 60.</summary>
    public double CheckpointSeconds { get; init; } = 60;

    /// <summary>Type of the stored models: float32 (default) or bfloat16.</summary>
    public ScalarType StoredType { get; init; } = ScalarType.Float32;

    public bool WriteSnapshots { get; init; } = true;

    /// <summary>Who tunes together, each with its part of every batch; the first rank writes. Default this process alone. Not disposed.
    /// </summary>
    public ICollective Ranks { get; init; } = SingleProcess.Instance;

    /// <summary>Whose names a LoRA has; default diffusers'.</summary>
    public LoraNames LoraNames { get; init; }

    /// <summary>What tells the network, for the file of a LoRA; null (default) to leave it out.</summary>
    public string? ModelHash { get; init; }

    /// <summary>The pipeline that the model belongs to, which its folder remembers; null (default) for none.</summary>
    public PipelineMemory? Pipeline { get; init; }

    /// <summary>Told what to know of a checkpoint that is resumed; null (default) for nobody.</summary>
    public Action<string>? Remark { get; init; }

    public void Validate()
    {
        if (!(CheckpointSeconds >= 0))
            throw new InvalidInputException($"The seconds between checkpoints must be 0 or more, not {CheckpointSeconds}.");
    }
}

/// <summary>Who a student learns from, where that is not the pre-trained model as it is: the model under guidance.</summary>
internal sealed record TuningTeacher(IDenoiser Denoiser, string Identity);
