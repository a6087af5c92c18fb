using System.Diagnostics;
using FewStep.Networks;
using FewStep.Platform;
using static TorchSharp.torch;

namespace FewStep.Tuning;

/// <summary>Pre-trains a denoiser. Every update's randomness is derived from the seed and the update's number, so a resumed training is the uninterrupted one.</summary>
/// <param name="denoiser">The model; its own weights are not touched.</param>
/// <param name="options">How to train; checked.</param>
/// <param name="state">Weights, moments and counters; advanced in place.</param>
public sealed class Trainer(NetworkDenoiser denoiser, TrainerOptions options, TrainingState state)
{
    private readonly UnreadUpdates _unread = new(state.Weights.device);
    private readonly LearningRateSchedule _learningRate = new(options.LearningRate, options.WarmUpImages, options.Images);

    /// <summary>Whether all images have been seen.</summary>
    public bool Done => state.Images >= options.Images;

    /// <summary>Makes one update, and reads its figures at once.</summary>
    /// <param name="images">Clean images [B,C,H,W], float32 in [-1, 1], on the denoiser's device.</param>
    /// <param name="labels">Class indices int64 [B] there; null where there are none.</param>
    /// <returns>What happened in it.</returns>
    public TrainingUpdate Step(Tensor images, Tensor? labels) => Advance(images, labels).Concat(Flush()).Last();

    /// <summary>Makes one update, whose figures are read together with those of others where reading would keep the device waiting.</summary>
    /// <param name="images">Clean images [B,C,H,W], float32 in [-1, 1], on the denoiser's device.</param>
    /// <param name="labels">Class indices int64 [B] there; null where there are none.</param>
    /// <returns>What happened in this update and in former ones that was not told yet; nothing where it is kept for later.</returns>
    public IReadOnlyList<TrainingUpdate> Advance(Tensor images, Tensor? labels)
    {
        long started = Stopwatch.GetTimestamp();
        using var scope = NewDisposeScope();
        long update = state.Optimizer.Updates;
        using var generator = new Generator((ulong)SeedHash.Derive(options.Seed, 1, update));
        int batch = (int)images.shape[0];
        if (labels is not null && options.LabelDropout > 0)
        {
            using var dropout = TensorArithmetic.Number(options.LabelDropout);
            var dropped = HostCopy.To(rand([batch], generator: generator).lt(dropout), labels.device);
            labels = labels.masked_fill(dropped, TensorArithmetic.MinusOne);
        }

        var leaf = state.Weights.detach().requires_grad_();
        var loss = options.Loss.Compute(denoiser, leaf, images, labels, generator);
        loss.backward();
        double rate = _learningRate.At(state.Images);
        var norm = state.Optimizer.Step(leaf.grad!, rate);
        state.Images += batch;
        state.Average.Update(state.Weights, state.Images, batch);
        var told = _unread.Add(state.Optimizer.Updates, state.Images, loss, norm, rate);
        state.Seconds += Stopwatch.GetElapsedTime(started).TotalSeconds;
        return told;
    }

    /// <summary>Reads the figures that were kept for later; a state is only to be saved after it.</summary>
    /// <returns>What happened in the updates that was not told yet.</returns>
    public IReadOnlyList<TrainingUpdate> Flush()
    {
        long started = Stopwatch.GetTimestamp();
        var told = _unread.Read();
        state.Seconds += Stopwatch.GetElapsedTime(started).TotalSeconds;
        return told;
    }
}

/// <summary>Figures of one update.</summary>
/// <param name="Update">Updates made so far.</param>
/// <param name="Images">Images seen so far.</param>
/// <param name="Loss">The batch's loss before the update.</param>
/// <param name="GradientNorm">Norm of the gradient before clipping.</param>
/// <param name="LearningRate">Step size used.</param>
public sealed record TrainingUpdate(long Update, long Images, double Loss, double GradientNorm, double LearningRate);
