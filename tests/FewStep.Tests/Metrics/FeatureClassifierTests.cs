using FewStep.Denoising;
using FewStep.Metrics;
using TorchSharp;

namespace FewStep.Tests.Metrics;

public sealed class FeatureClassifierTests : TensorFileTests
{
    private static readonly ClassifierConfiguration Small = new(new ImageShape(1, 8, 8), 4, [8, 16], 1, "FD (stripes)");

    [Theory]
    [InlineData(1, 8, 8)]
    [InlineData(3, 32, 32)]
    [InlineData(1, 28, 28)]
    [InlineData(2, 9, 31)]
    public void Features_and_logits_have_their_shapes_for_any_image(int channels, int height, int width)
    {
        using var classifier = new FeatureClassifier(
            new(new ImageShape(channels, height, width), 7, [8, 16, 24, 32, 64], 2, "FD"), seed: 3);
        var images = rand(5, channels, height, width) * 2 - 1;
        var features = classifier.Extract(images);
        Assert.Equal([5, 64], features.shape);
        Assert.Equal(64, classifier.Dimension);
        Assert.Equal([5, 7], classifier.Logits(images).shape);
        Assert.True(isfinite(features).all().ToBoolean());
        Assert.True(features.std().ToDouble() > 1e-3);
        Assert.False(features.requires_grad);
        Assert.Throws<ArgumentException>(() => classifier.Extract(zeros(5, channels + 1, height, width)));
    }

    [Fact]
    public void Features_of_an_image_do_not_depend_on_its_batch()
    {
        using var classifier = new FeatureClassifier(Small);
        var images = rand(6, 1, 8, 8);
        Assert.True(
            allclose(classifier.Extract(images).narrow(0, 2, 1), classifier.Extract(images.narrow(0, 2, 1)), rtol: 1e-5, atol: 1e-6));
    }

    [Fact]
    public void Training_learns_is_repeatable_and_survives_the_folder()
    {
        using var training = new StripedImages(512, 1);
        using var test = new StripedImages(200, 2);
        var options = new ClassifierTrainingOptions { Epochs = 8, Batch = 32, Seed = 5 };
        using var first = ClassifierTrainer.Train(Small, training, test, options);
        using var second = ClassifierTrainer.Train(Small, training, test, options);
        Assert.InRange(first.Configuration.Training!.TestAccuracy, 0.95, 1);
        Assert.Equal(128, first.Configuration.Training.Updates);
        Assert.Equal(first.Hash, second.Hash);
        using var untrained = new FeatureClassifier(Small, 1);
        Assert.NotEqual(first.Hash, untrained.Hash);

        FeatureClassifierFolder.Save(first, _folder.Root);
        using var loaded = FeatureClassifierFolder.Load(_folder.Root);
        var images = rand(3, 1, 8, 8);
        Assert.True(loaded.Extract(images).Equals(first.Extract(images)));
        Assert.Equal(first.Hash, loaded.Hash);
        Assert.Equal("FD (stripes)", loaded.Name);
        Assert.Equal(options, loaded.Configuration.Training!.Options);
        Assert.Equal(first.Configuration.Training.TestAccuracy, ClassifierTrainer.Accuracy(loaded, test));
    }

    [Fact]
    public void Training_leaves_no_tensors_behind_and_reports_its_progress()
    {
        using var images = new StripedImages(64, 1);
        long Live(int epochs)
        {
            var reports = new Reports();
            var options = new ClassifierTrainingOptions { Epochs = epochs, Batch = 16 };
            using (ClassifierTrainer.Train(Small, images, images, options, reports))
            {
                Assert.Contains(reports.Seen, r => r.Stage == "classifier" && r.Done == r.Total && r.Total == 64 * epochs);
            }

            return DisposeScopeManager.Statistics.ThreadTotalLiveCount;
        }

        Live(1);
        long after = Live(1);
        Assert.Equal(after, Live(9));
    }

    [Fact]
    public void Training_can_be_cancelled()
    {
        using var images = new StripedImages(64, 1);
        using var source = new CancellationTokenSource();
        source.Cancel();
        Assert.Throws<OperationCanceledException>(() => ClassifierTrainer.Train(Small, images, images, new(), cancellation: source.Token));
    }

    [Fact]
    public void An_interrupted_training_goes_on_to_the_same_weights()
    {
        using var training = new StripedImages(512, 1);
        using var test = new StripedImages(50, 2);
        var options = new ClassifierTrainingOptions { Epochs = 4, Batch = 32, Seed = 6 };
        using var whole = ClassifierTrainer.Train(Small, training, test, options);

        string checkpoint = _folder.File("training.safetensors");
        using var source = new CancellationTokenSource();
        var stop = new Reports { Hears = source.Cancel };
        Assert.Throws<OperationCanceledException>(
            () => ClassifierTrainer.Train(Small, training, test, options, stop, checkpoint: checkpoint, cancellation: source.Token));
        Assert.Single(stop.Seen);
        OneLine(() => ClassifierTrainer.Train(Small, training, test, options with { Epochs = 5 }, checkpoint: checkpoint),
            "belongs to a training with other options");

        var onwards = new Reports();
        using var resumed = ClassifierTrainer.Train(Small, training, test, options, onwards, checkpoint: checkpoint);
        Assert.Equal(stop.Seen[0].Done * 2, onwards.Seen[0].Done);
        Assert.Equal(whole.Hash, resumed.Hash);
        Assert.Equal(whole.Configuration.Training, resumed.Configuration.Training);

        File.WriteAllText(checkpoint, "no checkpoint");
        OneLine(() => ClassifierTrainer.Train(Small, training, test, options, checkpoint: checkpoint), checkpoint);
    }

    [Fact]
    public void Bad_configurations_options_and_images_are_refused_in_one_line()
    {
        using var images = new StripedImages(16, 1);
        using var others = new StripedImages(16, 1, new ImageShape(3, 8, 8));
        using var many = new StripedImages(16, 1, classes: 5);
        OneLine(() => _ = new FeatureClassifier(Small with { Shape = new ImageShape(1, 7, 8) }), "8 to 256");
        OneLine(() => _ = new FeatureClassifier(Small with { Channels = [] }), "channels");
        OneLine(() => _ = new FeatureClassifier(Small with { Channels = [12] }), "channels");
        OneLine(() => _ = new FeatureClassifier(Small with { Blocks = 0, Classes = 1, MetricName = "a\nb" }),
            "classes 1 must be 2 to 10000; blocks 0");
        OneLine(() => _ = new FeatureClassifier(Small with { FeatureName = " " }), "feature_name");
        OneLine(() => ClassifierTrainer.Train(Small, images, images, new() { Batch = 1, LearningRate = double.NaN }),
            "batch 1 must be 2 to 8192; learning_rate");
        OneLine(() => ClassifierTrainer.Train(Small, others, images, new()), "training images");
        OneLine(() => ClassifierTrainer.Train(Small, images, many, new()), "test images");
    }

    [Fact]
    public void Damaged_folders_are_refused_in_one_line()
    {
        string config = _folder.File("config.json"), weights = _folder.File("model.safetensors");
        OneLine(() => FeatureClassifierFolder.Load(_folder.Root), "config.json");
        using var classifier = new FeatureClassifier(Small);
        FeatureClassifierFolder.Save(classifier, _folder.Root);
        string good = File.ReadAllText(config);

        File.WriteAllText(config, good.Replace("\"blocks\": 1", "\"blocks\": 2", StringComparison.Ordinal));
        OneLine(() => FeatureClassifierFolder.Load(_folder.Root), "lacks the weight");
        File.WriteAllText(config, good.Replace("\"classes\": 4", "\"classes\": 5", StringComparison.Ordinal));
        OneLine(() => FeatureClassifierFolder.Load(_folder.Root), "head_");
        File.WriteAllText(config, good.Replace("\"channels\": [", "\"channels\": [ 1000000000,", StringComparison.Ordinal));
        OneLine(() => FeatureClassifierFolder.Load(_folder.Root), "config.json");
        File.WriteAllText(config, good.Replace("\"metric_name\"", "\"name\"", StringComparison.Ordinal));
        OneLine(() => FeatureClassifierFolder.Load(_folder.Root), "config.json");

        File.WriteAllText(config, good);
        byte[] bytes = File.ReadAllBytes(weights);
        File.WriteAllBytes(weights, bytes[..^10]);
        OneLine(() => FeatureClassifierFolder.Load(_folder.Root), "model.safetensors");
        bytes.AsSpan(bytes.Length - 2).Fill(0xFF); // a float16 NaN
        File.WriteAllBytes(weights, bytes);
        OneLine(() => FeatureClassifierFolder.Load(_folder.Root), "finite");
    }

    private static void OneLine(Action act, string part) => Refused.With(part, act);

    private sealed class Reports : IProgress<WorkProgress>
    {
        public List<WorkProgress> Seen { get; } = [];

        public Action? Hears { get; init; }

        public void Report(WorkProgress value)
        {
            Seen.Add(value);
            Hears?.Invoke();
        }
    }
}
