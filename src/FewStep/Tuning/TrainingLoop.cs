using FewStep.Collectives;

namespace FewStep.Tuning;

/// <summary>What a training is for. What happens in an update depends on options and number of the update only, so that a resumed training
/// is the uninterrupted one.</summary>
internal interface ITrainingObjective
{
    /// <summary>Images of an update, on all ranks.</summary>
    int Batch { get; }

    double LearningRate(TrainingState state);

    /// <summary>The loss of an update and its gradient; of several ranks, what this one's part of the batch adds to them.</summary>
    /// <returns>One float32, and the gradient, which may be changed; both belong to the current dispose scope.</returns>
    (Tensor Loss, Tensor Gradient) Differentiate(long update, Tensor weights, CancellationToken cancellation);

    /// <summary>Whether <see cref="IsOver"/> will look at figures, which have to be read first.</summary>
    bool NeedsFigures(TrainingState state) => false;

    /// <summary>Asked before each update; here an objective measures.</summary>
    bool IsOver(TrainingState state, CancellationToken cancellation);

    /// <summary>Told the figures of every update in order, some updates late on a device that reading would keep waiting.</summary>
    void Note(TrainingUpdate update);
}

/// <summary>Figures of one update.</summary>
internal sealed record TrainingUpdate(long Update, long Images, double Loss, double GradientNorm, double LearningRate);

/// <summary>How a training ended.</summary>
internal enum TrainingEnd
{
    Over,
    Cancelled,
    Diverged,
}

/// <summary>The only training loop: updates, their figures, the moving average, checkpoints, cancellation. Several ranks go through it
/// together, each with its part of every batch; what one of them decides, all do.</summary>
internal sealed class TrainingLoop(TrainingState state, ITrainingObjective objective)
{
    private readonly ICollective _ranks = state.Ranks;
    private readonly UnreadUpdates _unread = new(state.Weights.device);

    /// <summary>The update whose loss was not finite; null while there was none.</summary>
    public TrainingUpdate? Failed { get; private set; }

    /// <summary>Trains until the objective says that it is over, a loss is not finite, or the token is cancelled, on any of the ranks.
    /// </summary>
    /// <param name="save">Called on all ranks at once.</param>
    public TrainingEnd Run(Action? save, double saveSeconds, CancellationToken cancellation)
    {
        long started = Stopwatch.GetTimestamp();
        double before = state.Seconds, nextSave = before + saveSeconds;
        var end = TrainingEnd.Over;
        var within = _ranks.Ranks == 1 ? cancellation : CancellationToken.None; // a rank that leaves in between keeps the others waiting
        try
        {
            while ((!objective.NeedsFigures(state) || Tell(_unread.Read())) && !objective.IsOver(state, within))
            {
                if (_ranks.Any(cancellation.IsCancellationRequested))
                {
                    end = TrainingEnd.Cancelled;
                    break;
                }

                if (!Update(within))
                    break;
                state.Seconds = before + Stopwatch.GetElapsedTime(started).TotalSeconds;
                if (save is not null && _ranks.OnFirst(state.Seconds >= nextSave) && Tell(_unread.Read()))
                {
                    save();
                    nextSave = state.Seconds + saveSeconds;
                }
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            end = TrainingEnd.Cancelled;
        }

        Tell(_unread.Read());
        state.Seconds = before + Stopwatch.GetElapsedTime(started).TotalSeconds;
        return Failed is null ? end : TrainingEnd.Diverged;
    }

    /// <summary>Makes one update; false where a loss was not finite.</summary>
    public bool Update(CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        var (loss, gradient) = objective.Differentiate(state.Updates, state.Weights, cancellation);
        loss = _ranks.Sum(loss);
        double rate = objective.LearningRate(state);
        if (_unread.ReadsAtOnce && !float.IsFinite(loss.item<float>()))
        {
            Failed = new TrainingUpdate(state.Updates + 1, state.Images + objective.Batch, loss.item<float>(), double.NaN, rate);
            return false; // before it does harm; elsewhere it is found some updates later
        }

        var norm = state.Update(gradient, rate, objective.Batch);
        return Tell(_unread.Add(state.Updates, state.Images, loss, norm, rate));
    }

    // Nothing is told from the first loss on that is not finite.
    private bool Tell(IReadOnlyList<TrainingUpdate> updates)
    {
        foreach (var update in updates)
        {
            Failed ??= double.IsFinite(update.Loss) ? null : update;
            if (Failed is not null)
                return false;
            objective.Note(update);
        }

        return Failed is null;
    }
}
