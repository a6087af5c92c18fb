using FewStep.Collectives;
using FewStep.Networks;
using FewStep.Sampling;

namespace FewStep.Tuning;

/// <summary>Phase 2: fine-tunes a pre-trained model to a sampler, its sigmas and its solver, and keeps the averaged weights
/// that are best on held-out data.</summary>
/// <remarks>The trajectory loss counts latents as images. For a tuning in a folder, with checkpoints and resume, see
/// <see cref="TuningRun"/>.</remarks>
internal sealed class Tuner
{
    private readonly NetworkDenoiser _model;
    private readonly Trainable _trained;
    private readonly Sampler _sampler;
    private readonly TuningOptions _options;
    private readonly TuningImages? _images;
    private readonly IDenoiser? _teacher;
    private readonly IImageEmbedding _embedding;
    private readonly ICollective _ranks;

    /// <param name="model">The pre-trained model, which is the teacher; its weights are not touched. Not disposed.</param>
    /// <param name="teacher">Who the trajectory loss learns from, where it is not the model as it is: the model under guidance, which the
    /// student then needs no more. Null for the model; not disposed.</param>
    /// <param name="embedding">Where images are compared by the losses that end at them; null for pixels. Not disposed.</param>
    /// <param name="ranks">Who tunes together, each with its part of every batch; null for this process alone. Not disposed.</param>
    public Tuner(NetworkDenoiser model, Sampler sampler, TuningOptions? options = null, TuningImages? images = null,
        IDenoiser? teacher = null, IImageEmbedding? embedding = null, ICollective? ranks = null)
    {
        _ranks = ranks ?? SingleProcess.Instance;
        (_model, _sampler, _images, _teacher, _embedding) = (model, sampler, images, teacher, embedding ?? new PixelEmbedding());
        _options = (options ?? new TuningOptions()).For(sampler.Steps, sampler.Solver) with
        { ComputeType = model.ComputeType, Solver = sampler.Solver.Name };
        _options.Validate();
        _options.Check(sampler.Solver);
        _ranks.RequireWork(_options.Batch);
        if (_options.EnergyWeight > 0) // without it a rank may have none
            _ranks.RequireWork(_options.HeldOutCount, "held-out set");

        _trained = _options.Trained(model);
        sampler.Solver.CheckSchedule(sampler.Schedule);
        if (teacher is not null
            && (_options.Loss == TuningLoss.Denoise || teacher.Shape != model.Shape || teacher.Classes != model.Classes))
        {
            throw new InvalidInputException("The loss denoise has no teacher; the others learn from the model under guidance, which "
                + "makes the same images in the same classes.");
        }

        if (_options.Weighting == LevelWeighting.ConvexCombination && sampler.Schedule.Terminal == ScheduleTerminal.Zero)
        {
            throw new InvalidInputException(
                "The weighting convex_combination is undefined for a schedule whose terminal rule is zero; choose another weighting.");
        }

        if (_options.Loss == TuningLoss.Denoise)
            CheckImages();
    }

    /// <summary>The options, with the number format of the model.</summary>
    internal TuningOptions Options => _options;

    /// <summary>What of the model is trained.</summary>
    internal Trainable Trained => _trained;

    /// <summary>Tunes until all updates are made, the held-out metric stops improving, a loss is not finite, or the token is
    /// cancelled.</summary>
    /// <param name="start">Flat float32 vector of what is trained to begin at, e.g. the weights of a round before; null for the model as
    /// it is.</param>
    /// <returns>The best of what is trained, and how it went; the caller owns it.</returns>
    public TuningResult Run(Tensor? start = null, TuningObserver? observer = null, CancellationToken cancellation = default)
    {
        using var state = Begin(start);
        var report = Run(state, observer ?? new TuningObserver(), null, 0, cancellation);
        using var scope = NewDisposeScope();
        return new TuningResult(state.Best().clone().MoveToOuterDisposeScope(), report);
    }

    /// <summary>A state that has not been trained.</summary>
    internal TuningState Begin(Tensor? start)
    {
        if (start is not null && (start.NumberOfElements != _trained.Count || start.dtype != ScalarType.Float32))
        {
            throw new ArgumentException($"Trained are {_trained.Count} float32 weights, not {start.NumberOfElements} of {start.dtype}.",
                nameof(start));
        }

        using var scope = NewDisposeScope();
        return new TuningState((start ?? _trained.Begin(TuningSeeds.Adapters(_options.Seed))).to(_model.Device), _options, _ranks);
    }

    internal TuningReport Run(
        TuningState state, TuningObserver observer, Action<TuningReport>? save, double saveSeconds, CancellationToken cancellation)
    {
        var network = new TuningNetwork(_trained, _teacher, _ranks);
        using ITuningObjective objective = _options.Loss switch
        {
            TuningLoss.Trajectory => new TrajectoryObjective(network, _sampler, _options),
            TuningLoss.Endpoint => new EndpointObjective(network, _sampler, _options, _embedding),
            TuningLoss.Regression or TuningLoss.Consistency => new ConsistencyObjective(network, _sampler, _options, _embedding),
            _ => new DenoiseObjective(network, _sampler.Schedule, _options, _images!),
        };
        var earlier = state.Evaluations;
        TuningReport Report(TuningStop? stop, string explanation)
        {
            state.Evaluations = earlier + OnAllRanks(network.Evaluations);
            return this.Report(state, objective, stop, explanation);
        }

        // the teacher's first paths take a while
        observer.Progress?.Report(new WorkProgress("tune", state.Updates, _options.Updates, "updates"));
        var course = new Course(_options, state, objective, observer);
        var end = new TrainingLoop(state.Training, course)
            .Run(save is null ? null : () => save(Report(null, "running")), saveSeconds, cancellation);
        return end switch
        {
            TrainingEnd.Cancelled
                => Report(TuningStop.Cancelled, $"cancelled after {state.Updates} of {_options.Updates} updates; {Best(state)}"),
            TrainingEnd.Diverged => Report(TuningStop.Diverged, course.Diverged("the training loss")),
            _ => Report(course.Stop, course.Explanation),
        };
    }

    private TuningEvaluations OnAllRanks(TuningEvaluations own)
    {
        double[] all = _ranks.Sum(own.Teacher, own.Student, own.HeldOut);
        return new((long)all[0], (long)all[1], (long)all[2]);
    }

    private static string Best(TuningState state) => state.BestPoint switch
    {
        null => "the weights are kept as they came, for nothing was measured",
        { Update: 0 } => InvariantText.Of(
            $"nothing was better than the weights as they came, which are kept (held-out {state.BestPoint.HeldOut:G5})"),
        var best => InvariantText.Of($"best at update {best.Update} (held-out {best.HeldOut:G5}, at first {state.Curve[0].HeldOut:G5})"),
    };

    private TuningReport Report(TuningState state, ITuningObjective objective, TuningStop? stop, string explanation) => new()
    {
        Options = _options,
        Sigmas = _sampler.Schedule.Sigmas,
        Terminal = _sampler.Schedule.Terminal,
        HeldOutMetric = objective.HeldOutMetric,
        Curve = [.. state.Curve],
        Updates = state.Updates,
        BestUpdate = state.BestPoint?.Update,
        BestHeldOut = state.BestPoint?.HeldOut,
        Stop = stop,
        Explanation = explanation,
        Seconds = state.Training.Seconds,
        Evaluations = state.Evaluations,
    };

    private void CheckImages()
    {
        if (_images is null)
        {
            throw new InvalidInputException(
                "The loss denoise needs training and held-out images; give them, or choose another loss, which needs none.");
        }

        foreach (var (set, name) in new[] { (_images.Training, "training"), (_images.HeldOut, "held-out") })
        {
            ImageFit.Check(_model, _images.Autoencoder, set.Shape, set.Classes, name);
            if (set.Count == 0)
                throw new InvalidInputException($"There are no {name} images.");
        }
    }

    // One tuning: measured where it is due, and over when all updates are made or nothing gets better.
    private sealed class Course(
        TuningOptions options, TuningState state, ITuningObjective objective, TuningObserver observer) : ITrainingObjective
    {
        private readonly LearningRateSchedule _learningRate = new(options.LearningRate, options.WarmUp, options.Updates);

        public TuningStop Stop { get; private set; }
        public string Explanation { get; private set; } = "";
        public int Batch => options.Batch;

        private bool IsDue => !state.IsMeasured && (state.Updates % options.EvaluationInterval == 0 || state.Updates == options.Updates
            || options.SnapshotUpdates.Contains(state.Updates));

        public double LearningRate(TrainingState training) => _learningRate.At(training.Updates);

        public (Tensor Loss, Tensor Gradient) Differentiate(long update, Tensor weights, CancellationToken cancellation)
        {
            var leaf = WeightsLeaf.Of(weights);
            return (objective.Backpropagate(update, leaf, cancellation), leaf.grad!);
        }

        public bool NeedsFigures(TrainingState training) => IsDue;

        public bool IsOver(TrainingState training, CancellationToken cancellation)
        {
            if (IsDue && !Measure(cancellation))
            {
                (Stop, Explanation) = (TuningStop.Diverged, Diverged("the held-out metric"));
                return true;
            }

            if (state.Updates >= options.Updates)
            {
                (Stop, Explanation) = (TuningStop.AllUpdates, $"all {options.Updates} updates were made; {Best(state)}");
                return true;
            }

            if (options.Patience > 0 && state.Stale >= options.Patience)
            {
                (Stop, Explanation) = (TuningStop.NoImprovement,
                    $"no improvement in {state.Stale} measurements up to update {state.Updates}; {Best(state)}");
                return true;
            }

            return false;
        }

        public void Note(TrainingUpdate update)
        {
            state.AddLoss(update.Loss);
            observer.Update?.Invoke(update);
            observer.Progress?.Report(new WorkProgress("tune", update.Update, options.Updates, "updates",
                InvariantText.Of($"loss {state.Losses.Sum / state.Losses.Count:G4}, held-out "
                    + $"{(state.Curve.Count == 0 ? double.NaN : state.Curve[^1].HeldOut):G4}")));
        }

        public string Diverged(string what) => InvariantText.Of(
            $"{what} is not finite at update {state.Updates}: lower the learning rate (now {options.LearningRate:G4}); {Best(state)}");

        private bool Measure(CancellationToken cancellation)
        {
            using var scope = NewDisposeScope();
            var averaged = state.Averaged();
            double heldOut = objective.HeldOut(averaged, cancellation);
            if (!double.IsFinite(heldOut))
                return false;
            var point = state.AddPoint(heldOut);
            observer.Point?.Invoke(point);
            if (options.SnapshotUpdates.Contains(point.Update))
                observer.Snapshot?.Invoke(new TuningSnapshot(point, averaged));
            return true;
        }
    }
}
