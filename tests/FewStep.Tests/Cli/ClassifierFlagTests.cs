using FewStep.Cli.Verbs;
using FewStep.Metrics;

namespace FewStep.Tests.Cli;

public sealed class ClassifierFlagTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    [Fact]
    public async Task A_classifier_beside_the_model_is_taken_where_none_is_named()
    {
        string model = TinyWorld.WriteModel(world.At("zoo", "m"), 4), reference = Path.Combine(world.Data, "train-images-idx3-ubyte.gz");
        string[] evaluate = ["evaluate", "--model", $"{model}{Path.DirectorySeparatorChar}", "--reference", reference, "--samples", "8",
            "--ranges", "1", "--schedules", "karras", "--steps", "1", "--strip-seeds", "none"];
        await CommandLineRun.Refused("choose a --classifier", [.. evaluate, "--out", world.At("embedded")]);

        using (var classifier = FeatureClassifierFolder.Load(world.Classifier))
        {
            FeatureClassifierFolder.Save(classifier, world.At("zoo", "m-classifier"));
        }

        var printed = await CommandLineRun.Json([.. evaluate, "--out", world.At("beside")]);
        Assert.Equal("FD (stripes)", printed.GetProperty("figures")[0].GetProperty("name").GetString());
        using var named = FeatureClassifierFolder.Load(world.Classifier);
        Assert.Equal(named.Hash, printed.GetProperty("figures")[0].GetProperty("feature_hash").GetString());
    }

    [Fact]
    public void A_named_classifier_comes_first_and_the_embedded_one_last()
    {
        var command = new System.CommandLine.Command("test");
        var flag = new FeatureFlags(command, "The classifier.");
        Directory.CreateDirectory(world.At("other-classifier"));
        Assert.Equal("named", flag.Classifier(command.Parse("--classifier named"), world.At("other")));
        Assert.Equal(world.At("other-classifier"), flag.Classifier(command.Parse(""), world.At("other")));
        Assert.EndsWith("fashion-mnist-classifier", flag.Classifier(command.Parse(""), world.Model), StringComparison.Ordinal);
        Assert.EndsWith("fashion-mnist-classifier", flag.Classifier(command.Parse(""), null), StringComparison.Ordinal);
    }
}
