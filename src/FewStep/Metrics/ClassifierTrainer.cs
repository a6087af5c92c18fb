using System.Diagnostics;
using FewStep.Data;
using FewStep.Platform;
using FewStep.Tuning;
using static TorchSharp.torch;

namespace FewStep.Metrics;

/// <summary>Trains a <see cref="FeatureClassifier"/> with AdamW on augmented images.</summary>
public static class ClassifierTrainer
{
    private const int EvaluationBatch = 250;
    private const int ReportEvery = 25;
    private static readonly TimeSpan BetweenCheckpoints = TimeSpan.FromMinutes(1);

    /// <summary>Trains from random weights and measures the accuracy of the stored (float16) weights on the test images once, at the end. The last weights are kept, not the best.</summary>
    /// <param name="configuration">The architecture; its training record is replaced.</param>
    /// <param name="training">Labelled training images.</param>
    /// <param name="test">Labelled test images, which no update sees.</param>
    /// <param name="options">The recipe. The same options, images, thread count and processor give the same weights.</param>
    /// <param name="progress">Told the images done and the running loss; may be null.</param>
    /// <param name="device">Where it is trained and stays; null for the processor.</param>
    /// <param name="checkpoint">A file from which the training goes on where it exists, written every minute, when cancelled and after the last update; the caller deletes it when the classifier is stored. Null for none.</param>
    /// <param name="cancellation">Stops between updates.</param>
    /// <returns>The classifier with its training record; the caller owns it.</returns>
    /// <exception cref="InvalidInputException">The configuration, the options or the images do not fit, the checkpoint is damaged or another training's, or the training diverged.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static FeatureClassifier Train(
        ClassifierConfiguration configuration,
        IImageSet training,
        IImageSet test,
        ClassifierTrainingOptions options,
        IProgress<WorkProgress>? progress = null,
        Device? device = null,
        string? checkpoint = null,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        CheckImages(configuration, training, "training");
        CheckImages(configuration, test, "test");
        var classifier = new FeatureClassifier(configuration, SeedHash.Derive(options.Seed, 0), device);
        try
        {
            classifier.ComputeType = options.Bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
            var identity = TrainingIdentity.Of(new { configuration = configuration with { Training = null }, options, training = training.Hash, test = test.Hash });
            long updates = Update(classifier, training, options, checkpoint, identity, progress, cancellation);
            classifier.ComputeType = ScalarType.Float32;
            classifier.RoundWeights();
            double accuracy = Accuracy(classifier, test, progress, cancellation);
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
    /// <param name="classifier">The classifier; not changed.</param>
    /// <param name="images">Labelled images.</param>
    /// <param name="progress">Told the images done; may be null.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <returns>0 to 1.</returns>
    /// <exception cref="InvalidInputException">The images do not fit the classifier.</exception>
    public static double Accuracy(FeatureClassifier classifier, IImageSet images, IProgress<WorkProgress>? progress = null, CancellationToken cancellation = default)
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
            correct += predicted.eq(HostCopy.To(batches.Labels(indices, classifier.Configuration.Classes), classifier.Device)).sum().AsInt64();
            progress?.Report(new("test accuracy", done + indices.Length, images.Count, "img"));
        }

        return correct / (double)images.Count;
    }

    private static long Update(FeatureClassifier classifier, IImageSet training, ClassifierTrainingOptions options, string? checkpoint, TrainingIdentity identity, IProgress<WorkProgress>? progress, CancellationToken cancellation)
    {
        long updates = (((long)options.Epochs * training.Count) + options.Batch - 1) / options.Batch;
        using var state = new ClassifierTrainingState(classifier, options.WeightDecay);
        if (File.Exists(checkpoint))
        {
            state.Load(checkpoint, identity);
        }

        var batches = new ImageTensors(training);
        var order = new EpochShuffle(training.Count, SeedHash.Derive(options.Seed, 1));
        var indices = new int[options.Batch];
        var sinceSaved = Stopwatch.StartNew();
        while (state.Updates < updates && !cancellation.IsCancellationRequested)
        {
            using var scope = NewDisposeScope();
            long update = state.Updates;
            for (int i = 0; i < indices.Length; i++)
            {
                indices[i] = order[(update * indices.Length) + i];
            }

            var images = batches.ReadAugmented(indices, options.Shift, options.Mirror, SeedHash.Derive(options.Seed, 2, update));
            var loss = nn.functional.cross_entropy(classifier.Logits(images), HostCopy.To(batches.Labels(indices, classifier.Configuration.Classes), classifier.Device));
            loss.backward();
            state.Step(options.LearningRate * Warmth(update, updates));
            if (state.Updates % ReportEvery == 0 || state.Updates == updates)
            {
                Report(progress, loss.AsDouble(), state.Updates * options.Batch, updates * options.Batch);
            }

            if (checkpoint is not null && sinceSaved.Elapsed > BetweenCheckpoints)
            {
                state.Save(checkpoint, identity);
                sinceSaved.Restart();
            }
        }

        if (checkpoint is not null)
        {
            state.Save(checkpoint, identity);
        }

        cancellation.ThrowIfCancellationRequested();
        return updates;
    }

    // 0 to 1 over the first twentieth of the updates, then half a cosine down to 0.
    private static double Warmth(long update, long updates)
    {
        double done = (update + 0.5) / updates;
        return done < 0.05 ? done / 0.05 : 0.5 * (1 + Math.Cos(Math.PI * (done - 0.05) / 0.95));
    }

    private static void Report(IProgress<WorkProgress>? progress, double loss, long done, long total)
    {
        if (!double.IsFinite(loss))
        {
            throw new InvalidInputException($"The classifier diverged after {done} images; lower its learning_rate.");
        }

        progress?.Report(new("classifier", done, total, "img", FormattableString.Invariant($"loss {loss:0.000}")));
    }

    private static void CheckImages(ClassifierConfiguration configuration, IImageSet images, string purpose)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.Shape != configuration.Shape || images.Classes < 1 || images.Classes > configuration.Classes || images.Count < 1)
        {
            throw new InvalidInputException(
                $"The {purpose} images ({images.Count} of shape {images.Shape}, {images.Classes} classes) do not fit a classifier of shape {configuration.Shape} and {configuration.Classes} classes.");
        }
    }
}
