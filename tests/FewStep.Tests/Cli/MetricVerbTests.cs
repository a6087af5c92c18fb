using System.Text.Json;
using FewStep.Checkpoints;
using FewStep.Metrics;
using FewStep.Tests.Data;

namespace FewStep.Tests.Cli;

public sealed class MetricVerbTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public async Task Stored_images_are_measured_without_a_model()
    {
        string train = Path.Combine(world.Data, "train-images-idx3-ubyte.gz"), test = Path.Combine(
            world.Data, "t10k-images-idx3-ubyte.gz"), folder = world.At("stored");
        var printed = await CommandLineRun.Json("evaluate", "--images", train, "--reference", test, "--features", "classifier",
            "--classifier", world.Classifier, "--ranges", "2", "--batch", "7", "--out", folder);
        string[] names = [.. printed.GetProperty("figures").EnumerateArray().Select(f => f.GetProperty("name").GetString()!)];
        Assert.Equal(["FD (stripes)", "KD (stripes)", "precision (stripes)", "recall (stripes)", "density (stripes)", "coverage (stripes)",
            "class score (stripes)"], names);
        var figure = printed.GetProperty("figures")[0];
        var frechet = printed.GetProperty("trials")[0].GetProperty("figures").GetProperty("fd");
        Assert.Equal((30, 2, 60), (frechet.GetProperty("ranges")[0].GetProperty("images").GetInt32(),
            frechet.GetProperty("ranges").GetArrayLength(), figure.GetProperty("reference_images").GetInt32()));
        Assert.Equal(64, figure.GetProperty("feature_hash").GetString()!.Length);
        Assert.True(File.Exists(Path.Combine(folder, "metrics.json")));

        // The statistics of the same images give the same distance; the table shows it.
        string statistics = world.At("stats.npz");
        await CommandLineRun.Json(
            "data", "stats", "--data", test, "--features", "classifier", "--classifier", world.Classifier, "--output", statistics);
        Assert.Equal([8L], NpzFile.Read(statistics)["mu"].Shape.ToArray());
        string[] again = ["evaluate", "--images", train, "--reference", statistics, "--metrics", "fd", "--classifier", world.Classifier,
            "--ranges", "1", "--out", folder];
        var other = await CommandLineRun.Json(again);
        Assert.Equal(frechet.GetProperty("whole").GetDouble(),
            other.GetProperty("trials")[0].GetProperty("figures").GetProperty("fd").GetProperty("whole").GetDouble(), 1e-6);
        Assert.Equal(
            figure.GetProperty("reference_hash").GetString(), other.GetProperty("figures")[0].GetProperty("reference_hash").GetString());
        var shown = await CommandLineRun.Of(again);
        Assert.Contains("FD ↓", shown.Output, StringComparison.Ordinal);
        await CommandLineRun.Refused("kid and prdc", "evaluate", "--images", train, "--reference", statistics, "--metrics", "fd,kid",
            "--features", "classifier", "--classifier", world.Classifier, "--out", folder);

        // A second classifier adds its own figures, and must be a second one.
        string[] judged =
            ["evaluate", "--images", train, "--reference", test, "--classifier", world.Classifier, "--out", folder];
        await CommandLineRun.Refused("must be another", [.. judged, "--metrics", "fd", "--held-back", world.Classifier]);
        await CommandLineRun.Refused("with --held-back", [.. judged, "--metrics", "fd,held-back-fd"]);
    }

    [Fact]
    public async Task Images_of_another_size_than_the_reference_are_measured_by_Inception_alone()
    {
        string weights = world.At("weights.pth"), small = world.At("small"), large = world.At("large");
        using (NewDisposeScope())
        {
            Metrics.ProceduralInception.Write(weights, InceptionKind.PytorchFid);
        }

        for (int i = 0; i < 4; i++)
        {
            Directory.CreateDirectory(small);
            Directory.CreateDirectory(large);
            await File.WriteAllBytesAsync(Path.Combine(small, $"{i}.png"), TinyImages.Rgb(8, i));
            await File.WriteAllBytesAsync(Path.Combine(large, $"{i}.png"), TinyImages.Gray(24, i));
        }

        var printed = await CommandLineRun.Json("evaluate", "--images", small, "--reference", large, "--metrics", "fid", "--inception",
            weights, "--ranges", "1", "--out", world.At("sizes"));
        Assert.True(printed.GetProperty("trials")[0].GetProperty("figures").GetProperty("fid").GetProperty("whole").GetDouble() > 0);
        await CommandLineRun.Refused("24 x 24", "evaluate", "--images", Path.Combine(world.Data, "train-images-idx3-ubyte.gz"),
            "--reference", large, "--metrics", "fd", "--classifier", world.Classifier, "--ranges", "1", "--out", world.At("sizes"));
    }

    [Fact]
    public async Task Samples_are_measured_and_resumed()
    {
        string folder = world.At("sampled");
        string[] arguments = ["evaluate", "--model", world.Model, "--data", world.Data, "--classifier", world.Classifier, "--features",
            "classifier", "--metrics", "fd,prdc,is", "--schedules", "karras,uniform-t",
            "--steps", "2", "--samples", "12", "--ranges", "2", "--dtype", "float32", "--batch", "5", "--out", folder];
        var printed = await CommandLineRun.Json(arguments);
        Assert.Equal(2, printed.GetProperty("trials").GetArrayLength());
        Assert.All(printed.GetProperty("trials").EnumerateArray(), r => Assert.Equal(
            (2.0, 6), (r.GetProperty("evaluations_per_image").GetDouble(), r.GetProperty("figures").EnumerateObject().Count())));
        string store = Path.Combine(folder, FewStep.Experiments.MeasurementStore.FileName), first = await File.ReadAllTextAsync(store);
        Assert.Equal(4, JsonDocument.Parse(first).RootElement.GetProperty("ranges").GetArrayLength());
        var again = await CommandLineRun.Json(arguments);
        Assert.Equal(printed.GetProperty("trials").ToString(), again.GetProperty("trials").ToString());
        Assert.Equal(first, await File.ReadAllTextAsync(store));

        // The default measurement of the same samples is the same distance.
        await CommandLineRun.Json("evaluate", "--model", world.Model, "--data", world.Data, "--classifier", world.Classifier, "--schedules",
            "karras", "--steps", "2", "--samples", "12", "--ranges", "2",
            "--dtype", "float32", "--batch", "5", "--strip-seeds", "none", "--out", world.At("default"));
        var summary = JsonFile.Read<FewStep.Experiments.Summary>(Path.Combine(world.At("default"), "metrics.json"));
        var figure = printed.GetProperty("trials")[0].GetProperty("figures").GetProperty("fd").GetProperty("ranges");
        Assert.Equal(summary.Trials[0].Figures["fd"].Ranges.Select(r => r.Value),
            figure.EnumerateArray().Select(r => r.GetProperty("value").GetDouble()));
        await File.WriteAllTextAsync(store, "{\"version\": 1, \"ranges\": [null]}");
        await CommandLineRun.Refused("null in its ranges", arguments);
    }

    [Fact]
    public async Task Missing_weights_and_wrong_words_are_one_line()
    {
        string images = Path.Combine(world.Data, "train-images-idx3-ubyte.gz");
        string missing = world.At("missing.pth");
        await CommandLineRun.Refused(InceptionFile.Known[0].Sha256, "evaluate", "--images", images, "--reference", images, "--inception",
            missing, "--out", world.At("refused"));
        await CommandLineRun.Refused(
            InceptionFile.Known[1].Name, "data", "stats", "--data", images, "--inception", missing, "--output", world.At("x.npz"));
        await CommandLineRun.Refused(
            "no metric 'vmaf'", "evaluate", "--images", images, "--reference", images, "--metrics", "vmaf", "--out", world.At("refused"));
        await CommandLineRun.Refused("--reference", "evaluate", "--images", images, "--metrics", "fd", "--classifier", world.Classifier,
            "--out", world.At("refused"));
        await CommandLineRun.Refused(
            "--model has no use", "evaluate", "--images", images, "--model", world.Model, "--out", world.At("refused"));
        await CommandLineRun.Refused(
            "none of inception", "evaluate", "--images", images, "--features", "vgg", "--out", world.At("refused"));
        await CommandLineRun.Refused(".npz", "data", "stats", "--data", images, "--output", world.At("x.txt"));
        await CommandLineRun.Refused(
            "but the classifier of", "data", "stats", "--data", images, "--features", "classifier", "--output", world.At("x.npz"));
    }

    [Fact]
    public async Task A_data_set_is_prepared_and_read()
    {
        Directory.CreateDirectory(world.At("photos", "cat"));
        Directory.CreateDirectory(world.At("photos", "dog"));
        await File.WriteAllBytesAsync(world.At("photos", "cat", "1.png"), TinyImages.Rgb(20, 1));
        await File.WriteAllBytesAsync(world.At("photos", "dog", "1.png"), TinyImages.Rgb(31, 2));
        string zip = world.At("photos.zip");
        string[] arguments =
            ["data", "prepare", "--source", world.At("photos"), "--output", zip, "--transform", "center-crop", "--resolution", "16"];
        var printed = await CommandLineRun.Json(arguments);
        Assert.Equal(["cat", "dog"], printed.GetProperty("class_names").EnumerateArray().Select(n => n.GetString()));
        var again = await CommandLineRun.Json(arguments);
        Assert.Equal(printed.GetProperty("sha256").GetString(), again.GetProperty("sha256").GetString());
        var info = await CommandLineRun.Json("data", "info", "--data", zip);
        Assert.Equal((2, 2, 16), (info.GetProperty("images").GetInt32(), info.GetProperty("classes").GetInt32(),
            info.GetProperty("shape").GetProperty("width").GetInt32()));
        await CommandLineRun.Refused("--transform", [.. arguments[..6], "--resolution", "16"]);
        await CommandLineRun.Refused("no transform", [.. arguments[..6], "--transform", "lanczos"]);
    }
}
