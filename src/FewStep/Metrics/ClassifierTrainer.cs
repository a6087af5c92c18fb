using FewStep.Collectives;
using FewStep.Data;
using FewStep.Tuning;

namespace FewStep.Metrics;

/// <summary>Trains a <see cref="FeatureClassifier"/> with AdamW on augmented images.</summary>
internal static class ClassifierTrainer
{
    private const int EvaluationBatch = 250;
    private const int ReportEvery = 25;
    private const double SecondsBetweenCheckpoints = 60;

    /// <summary>Trains from random weights and measures the accuracy of the stored (float16) weights on the test images once, at the end.
    /// The last weights are kept, not the best.</summary>
    /// <param name="ranks">Who trains together, each with its part of every batch; null for this process alone. Not disposed.</param>
    /// <returns>The classifier with its training record, on all ranks; the caller owns it.</returns>
    public static FeatureClassifier Train(ClassifierConfiguration configuration, IImageSet training, IImageSet test,
        ClassifierTrainingOptions options, IProgress<WorkProgress>? progress = null, Device? device = null, string? checkpoint = null,
        ICollective? ranks = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        ranks ??= SingleProcess.Instance;
        ranks.RequireWork(options.Batch);
        CheckImages(configuration, training, "training");
        CheckImages(configuration, test, "test");
        var classifier = new FeatureClassifier(configuration, SeedHash.Derive(options.Seed, 0), device);
        try
        {
            classifier.ComputeType = options.Bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
            var identity = TrainingIdentity.Of(
                new { configuration = configuration with { Training = null }, options, training = training.Hash, test = test.Hash });
            long updates = Update(classifier, training, options, checkpoint, identity, progress, ranks, cancellation);
            classifier.ComputeType = ScalarType.Float32;
            classifier.RoundWeights();
            double accuracy = ranks.IsFirst() ? Accuracy(classifier, test, progress, cancellation) : 0;
            accuracy = ranks.Sum(accuracy)[0];
            classifier.Configuration = configuration with { Training = new(options, training.Hash, test.Hash, updates, accuracy) };
            return classifier;
        }
        catch
        {
            classifier.Dispose();
            throw;
        }
    }

    /// <summary>Measures the share of images that are classified correctly.</summary>
    public static double Accuracy(
        FeatureClassifier classifier, IImageSet images, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(classifier);
        CheckImages(classifier.Configuration, images, "test");
        using var _ = no_grad();
        var batches = new ImageTensors(images);
        long correct = 0;
        for (int done = 0; done < images.Count; done += EvaluationBatch)
        {
            cancellation.ThrowIfCancellationRequested();
            using var scope = NewDisposeScope();
            int[] indices = [.. Enumerable.Range(done, Math.Min(EvaluationBatch, images.Count - done))];
            var predicted = classifier.Logits(batches.Read(indices)).argmax(1);
            correct += predicted.eq(HostCopy.To(batches.Labels(indices, classifier.Configuration.Classes), classifier.Device)).sum()
                .AsInt64();
            progress?.Report(new("test accuracy", done + indices.Length, images.Count, "img"));
        }

        return correct / (double)images.Count;
    }

    private static long Update(FeatureClassifier classifier, IImageSet training, ClassifierTrainingOptions options, string? checkpoint,
        TrainingIdentity identity, IProgress<WorkProgress>? progress, ICollective ranks, CancellationToken cancellation)
    {
        using var weights = Flat(classifier.Weights().Select(w => w.Value.detach()));
        using var state = new TrainingState(weights.clone(),
            new AdamWOptions { Beta2 = 0.999, WeightDecay = options.WeightDecay, ClipNorm = double.PositiveInfinity }, null, ranks)
        { ComputeType = classifier.ComputeType };
        if (ranks.OnFirst(File.Exists(checkpoint)))
            state.Load(checkpoint!, identity);
        ranks.RequireSame(InvariantText.Of($"{identity.Fingerprint} {state.Updates}"), TrainingIdentity.Shared);
        var objective = new Objective(classifier, training, options, progress, ranks.PartOf(options.Batch));
        Action? save = checkpoint is null ? null : () => state.Save(checkpoint, identity);
        var loop = new TrainingLoop(state, objective);
        var end = loop.Run(save, SecondsBetweenCheckpoints, cancellation);
        if (loop.Failed is { } failed)
            throw new InvalidInputException($"The classifier diverged after {failed.Images} images; lower its learning_rate.");
        save?.Invoke();
        if (end == TrainingEnd.Cancelled)
            throw new OperationCanceledException(cancellation);
        objective.Hand(state.Weights);
        return state.Updates;
    }

    private static Tensor Flat(IEnumerable<Tensor> tensors)
    {
        using var scope = NewDisposeScope();
        return cat([.. tensors.Select(t => t.flatten())]).MoveToOuterDisposeScope();
    }

    private static void CheckImages(ClassifierConfiguration configuration, IImageSet images, string purpose)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.Shape != configuration.Shape || images.Classes < 1 || images.Classes > configuration.Classes || images.Count < 1)
        {
            throw new InvalidInputException(
                $"The {purpose} images ({images.Count} of shape {images.Shape}, {images.Classes} classes) do not fit a classifier of shape "
                    + $"{configuration.Shape} and {configuration.Classes} classes.");
        }
    }

    // The classifier's own weights follow the flat ones that are trained.
    private sealed class Objective(FeatureClassifier classifier, IImageSet training, ClassifierTrainingOptions options,
        IProgress<WorkProgress>? progress, BatchPart own) : ITrainingObjective
    {
        private readonly long _updates = (((long)options.Epochs * training.Count) + options.Batch - 1) / options.Batch;
        private readonly ImageTensors _batches = new(training);
        private readonly EpochShuffle _order = new(training.Count, SeedHash.Derive(options.Seed, 1));

        public int Batch => options.Batch;

        // Up over the first twentieth of the updates, then half a cosine down to 0.
        public double LearningRate(TrainingState state)
        {
            double done = (state.Updates + 0.5) / _updates;
            return options.LearningRate * (done < 0.05 ? done / 0.05 : 0.5 * (1 + Math.Cos(Math.PI * (done - 0.05) / 0.95)));
        }

        public (Tensor Loss, Tensor Gradient) Differentiate(long update, Tensor weights, CancellationToken cancellation)
        {
            using var scope = NewDisposeScope();
            Hand(weights);
            int[] indices = [.. Enumerable.Range(own.First, own.Count).Select(i => _order[(update * Batch) + i])];
            long moves = SeedHash.Derive(options.Seed, 2, update);
            var images = _batches.ReadAugmented(indices, options.Shift, options.Mirror, moves, own.First);
            var labels = HostCopy.To(_batches.Labels(indices, classifier.Configuration.Classes), classifier.Device);
            var loss = nn.functional.cross_entropy(classifier.Logits(images), labels).Times(own.Share);
            loss.backward();
            var gradient = Flat(classifier.Weights().Select(w => w.Value.grad!));
            classifier.zero_grad();
            return (loss.detach().MoveToOuterDisposeScope(), gradient.MoveToOuterDisposeScope());
        }

        public bool IsOver(TrainingState state, CancellationToken cancellation) => state.Updates >= _updates;

        public void Note(TrainingUpdate update)
        {
            if (update.Update % ReportEvery == 0 || update.Update == _updates)
            {
                progress?.Report(
                    new("classifier", update.Images, _updates * Batch, "img", FormattableString.Invariant($"loss {update.Loss:0.000}")));
            }
        }

        public void Hand(Tensor weights)
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            long at = 0;
            foreach (var (_, weight) in classifier.Weights())
            {
                weight.copy_(weights.narrow(0, at, weight.NumberOfElements).view(weight.shape));
                at += weight.NumberOfElements;
            }
        }
    }
}
