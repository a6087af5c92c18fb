using System.Diagnostics;
using System.Globalization;
using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>Phase 2: fine-tunes a pre-trained model to the sigmas of a sampling schedule for Euler steps, and keeps the averaged weights that are best on held-out data.</summary>
/// <remarks>The trajectory loss counts latents as images. For a tuning in a folder, with checkpoints and resume, see <see cref="TuningRun"/>.</remarks>
public sealed class Tuner
{
    private readonly NetworkDenoiser _model;
    private readonly SamplingSchedule _schedule;
    private readonly TunerOptions _options;
    private readonly TuningImages? _images;
    private readonly IDenoiser? _teacher;
    private readonly LearningRateSchedule _learningRate;

    /// <summary>Prepares a tuning.</summary>
    /// <param name="model">The pre-trained model, which is the teacher; its weights are not touched. Not disposed.</param>
    /// <param name="schedule">The schedule to tune to.</param>
    /// <param name="options">How; null for the defaults.</param>
    /// <param name="images">Images, which only the denoising loss needs.</param>
    /// <param name="teacher">Who the trajectory loss learns from, where it is not the model as it is: the model under guidance, which the student then needs no more. Null for the model; not disposed.</param>
    /// <exception cref="InvalidInputException">Options are out of range, or model, schedule, options, images and teacher do not fit.</exception>
    public Tuner(NetworkDenoiser model, SamplingSchedule schedule, TunerOptions? options = null, TuningImages? images = null, IDenoiser? teacher = null)
    {
        (_model, _schedule, _images, _teacher) = (model, schedule, images, teacher);
        _options = (options ?? new TunerOptions()) with { ComputeType = model.ComputeType };
        _options.Validate();
        if (teacher is not null && (_options.Loss != TuningLoss.Trajectory || teacher.Shape != model.Shape || teacher.Classes != model.Classes))
        {
            throw new InvalidInputException("Only the loss trajectory learns from a teacher of its own (the model under guidance), which makes the same images in the same classes.");
        }

        _learningRate = new LearningRateSchedule(_options.LearningRate, _options.WarmUp, _options.Updates);
        if (_options.Weighting == LevelWeighting.ConvexCombination && schedule.Terminal == ScheduleTerminal.Zero)
        {
            throw new InvalidInputException("The weighting convex_combination is undefined for a schedule whose terminal rule is zero; choose another weighting.");
        }

        if (_options.Loss == TuningLoss.Denoise)
        {
            CheckImages();
        }
    }

    /// <summary>The options, with the number format of the model.</summary>
    internal TunerOptions Options => _options;

    /// <summary>Tunes until all updates are made, the held-out metric stops improving, a loss is not finite, or the token is cancelled.</summary>
    /// <param name="start">Flat float32 weights to begin at, e.g. those of a round before; null for the model's own.</param>
    /// <param name="observer">Who is told what; null for nobody.</param>
    /// <param name="cancellation">Stops before the next update; the best weights so far are returned.</param>
    /// <returns>The best weights, and how it went; the caller owns it.</returns>
    /// <exception cref="ArgumentException">The weights are not the model's kind.</exception>
    public TuningResult Run(Tensor? start = null, TuningObserver? observer = null, CancellationToken cancellation = default)
    {
        using var state = Begin(start);
        var report = Run(state, observer ?? new TuningObserver(), _ => { }, cancellation);
        return new TuningResult(state.Best.clone(), report);
    }

    /// <summary>A state that has not been trained.</summary>
    /// <param name="start">Flat weights; null for the model's own.</param>
    internal TuningState Begin(Tensor? start)
    {
        if (start is not null && (start.NumberOfElements != _model.Weights.NumberOfElements || start.dtype != ScalarType.Float32))
        {
            throw new ArgumentException($"The model has {_model.Weights.NumberOfElements} float32 weights, not {start.NumberOfElements} of {start.dtype}.", nameof(start));
        }

        using var scope = NewDisposeScope();
        return new TuningState((start ?? _model.Weights).to(_model.Device), _options);
    }

    /// <summary>Tunes on from a state.</summary>
    /// <param name="state">Advanced in place; consistent whenever <paramref name="afterUpdate"/> is called, and afterwards.</param>
    /// <param name="observer">Who is told what.</param>
    /// <param name="afterUpdate">Called after every update with the report so far, made when asked for.</param>
    /// <param name="cancellation">Stops before the next update.</param>
    internal TuningReport Run(TuningState state, TuningObserver observer, Action<Func<TuningReport>> afterUpdate, CancellationToken cancellation)
    {
        var network = new TuningNetwork(_model, _teacher);
        using ITuningObjective objective = _options.Loss == TuningLoss.Trajectory
            ? new TrajectoryObjective(network, _schedule, _options)
            : new DenoiseObjective(network, _schedule, _options, _images!);
        var (earlierEvaluations, earlierSeconds) = (state.Evaluations, state.Training.Seconds);
        long started = Stopwatch.GetTimestamp();
        void TakeStock()
        {
            state.Evaluations = earlierEvaluations + network.Evaluations;
            state.Training.Seconds = earlierSeconds + Stopwatch.GetElapsedTime(started).TotalSeconds;
        }

        var (stop, explanation) = Loop(
            state,
            objective,
            observer,
            () =>
            {
                TakeStock();
                afterUpdate(() => Report(state, objective, null, "running"));
            },
            cancellation);
        TakeStock();
        return Report(state, objective, stop, explanation);
    }

    private (TuningStop Stop, string Explanation) Loop(TuningState state, ITuningObjective objective, TuningObserver observer, Action afterUpdate, CancellationToken cancellation)
    {
        observer.Progress?.Report(new WorkProgress("tune", state.Updates, _options.Updates, "updates")); // the teacher's first paths take a while
        var unread = new UnreadUpdates(state.Training.Weights.device);
        try
        {
            while (true)
            {
                if (IsDue(state.Updates) && !state.IsMeasured)
                {
                    if (!Note(state, observer, unread.Read()))
                    {
                        return Diverged(state, "the training loss");
                    }

                    if (!Measure(state, objective, observer, cancellation))
                    {
                        return Diverged(state, "the held-out metric");
                    }
                }

                if (state.Updates >= _options.Updates)
                {
                    return (TuningStop.AllUpdates, $"all {_options.Updates} updates were made; {Best(state)}");
                }

                if (_options.Patience > 0 && state.Stale >= _options.Patience)
                {
                    return (TuningStop.NoImprovement, $"no improvement in {state.Stale} measurements up to update {state.Updates}; {Best(state)}");
                }

                cancellation.ThrowIfCancellationRequested();
                if (!Update(state, objective, observer, unread, cancellation))
                {
                    return Diverged(state, "the training loss");
                }

                if (unread.IsEmpty)
                {
                    afterUpdate();
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return !Note(state, observer, unread.Read()) ? Diverged(state, "the training loss") : (TuningStop.Cancelled, $"cancelled after {state.Updates} of {_options.Updates} updates; {Best(state)}");
        }
    }

    private bool IsDue(int update) => update % _options.EvaluationInterval == 0 || update == _options.Updates || _options.SnapshotUpdates.Contains(update);

    private bool Measure(TuningState state, ITuningObjective objective, TuningObserver observer, CancellationToken cancellation)
    {
        double heldOut = objective.HeldOut(state.Training.Average.Weights, cancellation);
        if (!double.IsFinite(heldOut))
        {
            return false;
        }

        var point = state.AddPoint(heldOut);
        observer.Point?.Invoke(point);
        if (_options.SnapshotUpdates.Contains(point.Update))
        {
            observer.Snapshot?.Invoke(new TuningSnapshot(point, state.Training.Average.Weights));
        }

        return true;
    }

    private bool Update(TuningState state, ITuningObjective objective, TuningObserver observer, UnreadUpdates unread, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var training = state.Training;
        var leaf = training.Weights.detach().requires_grad_();
        var loss = objective.Backpropagate(state.Updates, leaf, cancellation);
        if (unread.ReadsAtOnce && !float.IsFinite(loss.item<float>()))
        {
            return false; // before it does harm; elsewhere it is found some updates later, and the best weights are kept all the same
        }

        double rate = _learningRate.At(state.Updates);
        var norm = training.Optimizer.Step(leaf.grad!, rate);
        training.Images += _options.Batch;
        training.Average.Update(training.Weights, training.Images, _options.Batch);
        return Note(state, observer, unread.Add(state.Updates, training.Images, loss, norm, rate));
    }

    private bool Note(TuningState state, TuningObserver observer, IReadOnlyList<TrainingUpdate> updates)
    {
        foreach (var update in updates)
        {
            if (!double.IsFinite(update.Loss))
            {
                return false;
            }

            state.AddLoss(update.Loss);
            observer.Update?.Invoke(update);
            observer.Progress?.Report(new WorkProgress("tune", update.Update, _options.Updates, "updates", string.Create(
                CultureInfo.InvariantCulture,
                $"loss {state.Losses.Sum / state.Losses.Count:G4}, held-out {(state.Curve.Count == 0 ? double.NaN : state.Curve[^1].HeldOut):G4}")));
        }

        return true;
    }

    private (TuningStop Stop, string Explanation) Diverged(TuningState state, string what) => (TuningStop.Diverged, string.Create(
        CultureInfo.InvariantCulture,
        $"{what} is not finite at update {state.Updates}: lower the learning rate (now {_options.LearningRate:G4}); {Best(state)}"));

    private static string Best(TuningState state) => state.BestPoint switch
    {
        null => "the weights are kept as they came, for nothing was measured",
        { Update: 0 } => string.Create(CultureInfo.InvariantCulture, $"nothing was better than the weights as they came, which are kept (held-out {state.BestPoint.HeldOut:G5})"),
        var best => string.Create(CultureInfo.InvariantCulture, $"best at update {best.Update} (held-out {best.HeldOut:G5}, at first {state.Curve[0].HeldOut:G5})"),
    };

    private TuningReport Report(TuningState state, ITuningObjective objective, TuningStop? stop, string explanation) => new()
    {
        Options = _options,
        Sigmas = _schedule.Sigmas,
        Terminal = _schedule.Terminal,
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
            throw new InvalidInputException("The loss denoise needs training and held-out images; give them, or choose the loss trajectory, which needs none.");
        }

        foreach (var (set, name) in new[] { (_images.Training, "training"), (_images.HeldOut, "held-out") })
        {
            if (set.Shape != _model.Shape)
            {
                throw new InvalidInputException($"The {name} images are {set.Shape}, but the model denoises {_model.Shape}: choose the images that it was trained on.");
            }

            if (set.Count == 0)
            {
                throw new InvalidInputException($"There are no {name} images.");
            }

            if (_model.Classes > 0 && set.Classes > _model.Classes)
            {
                throw new InvalidInputException($"The {name} images have {set.Classes} classes, but the model has {_model.Classes}: choose the images that it was trained on.");
            }
        }
    }
}
