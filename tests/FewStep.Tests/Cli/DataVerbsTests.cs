using FewStep.Cli;
using FewStep.Data;
using FewStep.Metrics;
using FewStep.Tests.Data;

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

    [Fact]
    public async Task Damaged_images_are_named()
    {
        byte[] whole = TinyImages.Rgb(16, 1), cut = TinyImages.Rgb(16, 2)[..400], changed = TinyImages.Rgb(16, 3);
        foreach (var (name, second) in new[] { ("cut", cut), ("jpeg", TinyImages.Jpeg(16, 1, 2, 3)[..^20]) })
        {
            Directory.CreateDirectory(world.At(name));
            await File.WriteAllBytesAsync(world.At(name, "06.png"), whole);
            await File.WriteAllBytesAsync(world.At(name, "07.png"), second);
            await CommandLineRun.Refused("07.png", "data", "info", "--data", world.At(name));
        }

        // Whole by its checksums, but not to be decoded.
        int data = changed.AsSpan().IndexOf("IDAT"u8);
        changed[data + 4] ^= 0xff;
        int length = System.Buffers.Binary.BinaryPrimitives.ReadInt32BigEndian(changed.AsSpan(data - 4));
        var sum = new ICSharpCode.SharpZipLib.Checksum.Crc32();
        sum.Update(new ArraySegment<byte>(changed, data, 4 + length));
        System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(changed.AsSpan(data + 4 + length), (uint)sum.Value);
        await File.WriteAllBytesAsync(world.At("cut", "07.png"), changed);
        await CommandLineRun.Refused("07.png", "data", "info", "--data", world.At("cut"));
        await File.WriteAllBytesAsync(world.At("cut", "07.png"), TinyImages.Rgb(16, 2));
        Assert.Equal(2, (await CommandLineRun.Json("data", "info", "--data", world.At("cut"))).GetProperty("images").GetInt32());
    }

    [Fact]
    public async Task Images_of_no_or_few_classes_are_refused_or_told_of()
    {
        for (int i = 0; i < 60; i++)
        {
            Directory.CreateDirectory(world.At("flat"));
            Directory.CreateDirectory(world.At("two", $"{i % 2}"));
            await File.WriteAllBytesAsync(world.At("flat", $"{i}.png"), TinyImages.Gray(8, i));
            await File.WriteAllBytesAsync(world.At("two", $"{i % 2}", $"{i}.png"), TinyImages.Gray(8, i));
        }

        // The tiny model has four classes and no label dropout.
        string[] search = ["schedule", "--model", world.Model, "--steps", "2", "--out", world.At("searched")];
        await CommandLineRun.Refused("have no labels", [.. search, "--data", world.At("flat")]);
        await CommandLineRun.Refused("have no labels", "tune", "--model", world.Model, "--schedule", "karras", "--steps", "2", "--loss",
            "denoise", "--data", world.At("flat"), "--out", world.At("tuned-flat"));
        Assert.False(Directory.Exists(world.At("tuned-flat")));
        var told = await CommandLineRun.Of([.. search, "--data", world.At("two")]);
        Assert.Equal(0, told.Code);
        Assert.Contains("Warning: The images have 2 classes, the model 4", told.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_that_cannot_be_written_is_one_line_and_messages_that_cannot_are_none()
    {
        using var full = new FullWriter();
        using var said = new StringWriter(CultureInfo.InvariantCulture);
        string[] info = ["data", "info", "--data", world.Data];
        Assert.Equal(2, await FewStep.Cli.Verbs.CommandLine.Run(info, full, said, TestContext.Current.CancellationToken));
        Assert.StartsWith("fewstep: Cannot write to standard output", said.ToString(), StringComparison.Ordinal);
        Assert.Equal(2, await FewStep.Cli.Verbs.CommandLine.Run(["data", "--help"], full, full, TestContext.Current.CancellationToken));
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        Assert.Equal(0, await FewStep.Cli.Verbs.CommandLine.Run(info, output, full, TestContext.Current.CancellationToken));
        Assert.Equal(2, await FewStep.Cli.Verbs.CommandLine.Run(["data", "info", "--data", world.At("none")], output, full, default));
        Assert.Equal(2, await FewStep.Cli.Verbs.CommandLine.Run(["--none\u001b[31m"], output, said, default));
        Assert.DoesNotContain('\u001b', said.ToString());
    }

    private sealed class FullWriter : StringWriter
    {
        public override void Write(char value) => throw new IOException("No space left on device");
        public override void Write(string? value) => throw new IOException("No space left on device");
        public override void Write(char[] buffer, int index, int count) => throw new IOException("No space left on device");
        public override void WriteLine(string? value) => throw new IOException("No space left on device");
    }

    private static string Image(IImageSet set, int index)
    {
        byte[] pixels = new byte[set.Shape.Dimension];
        set.Read(index, pixels);
        return Convert.ToHexString(pixels);
    }
}
