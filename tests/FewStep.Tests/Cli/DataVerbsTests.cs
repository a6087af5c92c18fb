using FewStep.Cli;
using FewStep.Data;
using FewStep.Metrics;

namespace FewStep.Tests.Cli;

public sealed class DataVerbsTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public async Task A_balanced_subset_holds_each_class_equally_often()
    {
        string folder = world.At("subset");
        var printed = await CommandLineRun.Json(
            "data", "subset", "--data", world.Data, "--split", "test", "--count", "10", "--balanced", "--seed", "7", "--out", folder);
        Assert.Equal(10, printed.GetProperty("count").GetInt32());
        Assert.Equal([3, 3, 2, 2], printed.GetProperty("images_per_class").EnumerateArray().Select(n => n.GetInt32()));
        var info = await CommandLineRun.Json("data", "info", "--data", folder, "--split", "test");
        Assert.Equal([3, 3, 2, 2], info.GetProperty("images_per_class").EnumerateArray().Select(n => n.GetInt32()));
        using var subset = ImageSets.Open(folder, DataSplit.Test);
        using var all = ImageSets.Open(world.Data, DataSplit.Test);
        var images = Enumerable.Range(0, all.Count).Select(i => (Image(all, i), all.Label(i))).ToHashSet();
        Assert.All(Enumerable.Range(0, subset.Count), i => Assert.Contains((Image(subset, i), subset.Label(i)), images));
        // Of 10 images with 3, 3, 2, 2 of each class, 9 with 3, 2, 2, 2 can be taken, but not all classes 3 times.
        await CommandLineRun.Refused("does not fit", "data", "subset", "--data", folder, "--split", "test", "--balanced", "--count", "12",
            "--out", world.At("again"));
        Assert.Equal(9, (await CommandLineRun.Json("data", "subset", "--data", folder, "--split", "test", "--balanced", "--count", "9",
            "--out", world.At("nine"))).GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task A_classifier_is_trained_and_stored_with_its_accuracy()
    {
        string folder = world.At("trained");
        var printed = await CommandLineRun.Json(
            "train-classifier", "--data", world.Data, "--out", folder, "--channels", "8,8", "--epochs", "2", "--batch", "16", "--shift",
            "1", "--no-mirror", "--metric-name", "FD (test)", "--feature-name", "test");
        using var classifier = FeatureClassifierFolder.Load(folder);
        Assert.Equal(classifier.Hash, printed.GetProperty("hash").GetString());
        Assert.Equal(("FD (test)", "test"), (classifier.Name, classifier.FeatureName));
        Assert.Equal(classifier.Configuration.Training!.TestAccuracy, printed.GetProperty("test_accuracy").GetDouble());
        Assert.False(classifier.Configuration.Training.Options.Mirror);
        // the checkpoint is gone
        Assert.Equal(
            ["config.json", "model.safetensors"], Directory.GetFiles(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_classifier_replaces_nothing_unasked()
    {
        string model = TinyWorld.WriteModel(world.At("precious"), 1), folder = world.At("mine");
        string[] train = ["train-classifier", "--data", world.Data, "--channels", "8", "--epochs", "1", "--batch", "16"];
        string weights = Convert.ToHexString(await File.ReadAllBytesAsync(Path.Combine(model, "model.safetensors")));
        await CommandLineRun.Refused("holds a model that is no classifier", [.. train, "--out", model]);
        await CommandLineRun.Refused("holds a model that is no classifier", [.. train, "--out", model, "--overwrite"]);
        Assert.Equal(weights, Convert.ToHexString(await File.ReadAllBytesAsync(Path.Combine(model, "model.safetensors"))));
        await CommandLineRun.Json([.. train, "--out", folder]);
        await CommandLineRun.Refused("with --overwrite", [.. train, "--out", folder]);
        await CommandLineRun.Json([.. train, "--out", folder, "--overwrite"]);
    }

    [Fact]
    public async Task Classifier_images_need_no_splits()
    {
        string images = Path.Combine(
            world.Data, "train-images-idx3-ubyte.gz"), other = Path.Combine(world.Data, "t10k-images-idx3-ubyte.gz");
        string[] train = ["train-classifier", "--data", images, "--channels", "8", "--epochs", "1", "--batch", "16"];
        var held = await CommandLineRun.Json([.. train, "--out", world.At("held-out")]);
        Assert.Equal((6, "images held out"), (held.GetProperty("test_images").GetInt32(), held.GetProperty("test").GetString()));
        var given = await CommandLineRun.Json([.. train, "--test", other, "--out", world.At("given")]);
        var split = await CommandLineRun.Json([.. train, "--test", world.Data, "--out", world.At("split")]);
        Assert.Equal((60, 60), (given.GetProperty("test_images").GetInt32(), split.GetProperty("test_images").GetInt32()));
        Assert.Equal(given.GetProperty("test_accuracy").GetDouble(), split.GetProperty("test_accuracy").GetDouble());
    }

    [Fact]
    public void The_embedded_images_and_classifier_lie_beside_the_program()
    {
        using var training = ImageSets.Open(EmbeddedDefault.Data, DataSplit.Train);
        using var test = ImageSets.Open(EmbeddedDefault.Data, DataSplit.Test);
        using var classifier = FeatureClassifierFolder.Load(EmbeddedDefault.Classifier);
        Assert.Equal((10_000, 10), (training.Count, training.Classes));
        Assert.Equal(Enumerable.Repeat(1000, 10),
            Enumerable.Range(0, training.Count).CountBy(training.Label).OrderBy(c => c.Key).Select(c => c.Value));
        // The very images that the classifier's accuracy was measured on.
        Assert.Equal(classifier.Configuration.Training!.TestSetHash, test.Hash);
        Assert.Equal(training.Shape, classifier.Shape);
        Assert.True(File.Exists(Path.Combine(EmbeddedDefault.Model, "config.json")));
    }

    private static string Image(IImageSet set, int index)
    {
        byte[] pixels = new byte[set.Shape.Dimension];
        set.Read(index, pixels);
        return Convert.ToHexString(pixels);
    }
}
