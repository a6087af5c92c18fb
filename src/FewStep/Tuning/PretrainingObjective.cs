using FewStep.Collectives;
using FewStep.Data;
using FewStep.Networks;

namespace FewStep.Tuning;

/// <summary>Pre-training: a denoising loss over all noise levels, until all images have been seen.</summary>
/// <param name="next">The next batch of clean images on the denoiser's device, or this rank's part of it; disposed here.</param>
/// <param name="ranks">Who trains together; null for this process alone.</param>
internal sealed class PretrainingObjective(
    NetworkDenoiser denoiser, TrainerOptions options, Func<ImageBatch> next, Action<TrainingUpdate> note,
    ICollective? ranks = null) : ITrainingObjective
{
    private readonly LearningRateSchedule _learningRate = new(options.LearningRate, options.WarmUpImages, options.Images);

    private readonly BatchPart _own = (ranks ?? SingleProcess.Instance).PartOf(options.Batch);

    public int Batch => options.Batch;
    public double LearningRate(TrainingState state) => _learningRate.At(state.Images);

    public (Tensor Loss, Tensor Gradient) Differentiate(long update, Tensor weights, CancellationToken cancellation)
    {
        using var scope = NewDisposeScope();
        using var batch = next();
        using var generator = new Generator((ulong)SeedHash.Derive(options.Seed, 1, update));
        var labels = batch.Labels;
        if (labels is not null && options.LabelDropout > 0)
        {
            using var dropout = TensorArithmetic.Number(options.LabelDropout);
            var dropped = HostCopy.To(_own.Of(rand([_own.Batch], generator: generator)).lt(dropout), labels.device);
            labels = labels.masked_fill(dropped, TensorArithmetic.MinusOne);
        }

        var leaf = WeightsLeaf.Of(weights);
        var loss = options.Loss.Compute(denoiser, leaf, batch.Images, labels, generator, _own);
        loss.backward();
        return (loss.detach().MoveToOuterDisposeScope(), leaf.grad!.MoveToOuterDisposeScope());
    }

    public bool IsOver(TrainingState state, CancellationToken cancellation) => state.Images >= options.Images;
    public void Note(TrainingUpdate update) => note(update);
}
