using FewStep.Checkpoints;
using FewStep.Networks;
using FewStep.Tuning;
using TorchSharp;

namespace FewStep.Tests.Tuning;

public sealed class TrainingRunTests : FolderTests
{
    private static TrainerOptions Options => new() { Images = 80, Batch = 8, WarmUpImages = 16, LearningRate = 2e-3, Seed = 5 };

    [Fact]
    public void A_resumed_training_is_the_uninterrupted_one()
    {
        string whole = _folder.File("whole"), parts = _folder.File("parts");
        Assert.Equal((80, true), Run(whole).Execute(null, null, CancellationToken.None));
        foreach (int stopAfter in (int[])[3, 4])
        {
            using var cancel = new CancellationTokenSource();
            int updates = 0;
            var (_, done) = Run(parts).Execute(null, _ => Stop(++updates == stopAfter, cancel), cancel.Token);
            Assert.False(done);
            using var usable = ModelFolder.Read(Path.Combine(parts, "model")).Denoiser;
        }

        Assert.Equal((80, true), Run(parts).Execute(null, null, CancellationToken.None));
        Assert.Equal(File.ReadAllBytes(Path.Combine(whole, "model", "model.safetensors")),
            File.ReadAllBytes(Path.Combine(parts, "model", "model.safetensors")));
        using var scope = NewDisposeScope();
        var a = SafetensorsFile.Read(Path.Combine(whole, "training.safetensors")).Tensors;
        var b = SafetensorsFile.Read(Path.Combine(parts, "training.safetensors")).Tensors;
        Assert.All(a, t => Assert.Equal(t.Value.data<float>().ToArray(), b[t.Key].data<float>().ToArray()));
    }

    [Fact]
    public void A_training_can_be_made_longer()
    {
        string folder = _folder.File("a");
        Run(folder).Execute(null, null, CancellationToken.None);
        var rates = new List<double>();
        var longer = new TrainingRun(TrainableModel.Config, Options with { Images = 160 }, new TrainableModel.Images(), Place(folder));
        Assert.Equal((160, true), longer.Execute(null, update => rates.Add(update.LearningRate), CancellationToken.None));
        var schedule = new LearningRateSchedule(2e-3, 16, 160);
        Assert.Equal(Enumerable.Range(0, 10).Select(update => schedule.At(80 + 8 * update)), rates);
    }

    [Fact]
    public void A_training_begins_at_a_given_model_and_is_resumed_by_no_other()
    {
        string first = _folder.File("first"), second = _folder.File("second");
        Run(first).Execute(null, null, CancellationToken.None);
        using var model = ModelFolder.Read(Path.Combine(first, "model")).Denoiser;
        using var before = model.Weights.clone();
        TrainingRun From(NetworkDenoiser? start)
            => new(TrainableModel.Config, Options with { LearningRate = 1e-12 }, new TrainableModel.Images(), Place(second), start);
        Assert.Equal((80, true), From(model).Execute(null, null, CancellationToken.None));
        using var after = ModelFolder.Read(Path.Combine(second, "model")).Denoiser;
        Assert.Equal(before.data<float>().ToArray(), after.Weights.data<float>().ToArray());
        Assert.Equal(before.data<float>().ToArray(), model.Weights.data<float>().ToArray());
        Assert.Contains("start", Assert.Throws<InvalidInputException>(() => From(null).Execute(null, null, CancellationToken.None)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Training_lowers_the_loss_and_leaves_no_tensors_behind()
    {
        var losses = new List<double>();
        var live = new List<long>();
        var options = Options with { Images = 800, WarmUpImages = 80 };
        new TrainingRun(TrainableModel.Config, options, new TrainableModel.Images(), Place(_folder.File("a")))
            .Execute(null, Note, CancellationToken.None);
        Assert.True(losses.TakeLast(30).Average() < 0.9 * losses.Take(10).Average(),
            $"{losses.Take(10).Average()} -> {losses.TakeLast(30).Average()}");
        Assert.Single(live.Skip(1).Distinct());

        void Note(TrainingUpdate update)
        {
            losses.Add(update.Loss);
            live.Add(DisposeScopeManager.Statistics.ThreadTotalLiveCount);
        }
    }

    [Fact]
    public void Another_training_s_checkpoint_is_refused()
    {
        string folder = _folder.File("a");
        Run(folder).Execute(null, null, CancellationToken.None);
        var other = new TrainingRun(TrainableModel.Config, Options with { Seed = 6 }, new TrainableModel.Images(), Place(folder));
        var error = Assert.Throws<InvalidInputException>(() => other.Execute(null, null, CancellationToken.None));
        Assert.Contains("other options", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Invalid_options_are_reported_together()
    {
        var error = Assert.Throws<InvalidInputException>(() => (Options with { Images = 0, LearningRate = double.NaN }).Validate());
        Assert.Contains("images", error.Message, StringComparison.Ordinal);
        Assert.Contains("learning rate", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Images_of_another_shape_are_refused()
    {
        var config = TrainableModel.Config with { Shape = new(1, 16, 16) };
        Assert.Throws<InvalidInputException>(() => new TrainingRun(config, Options, new TrainableModel.Images(), Place(_folder.Root)));
    }

    private static void Stop(bool now, CancellationTokenSource cancel)
    {
        if (now)
            cancel.Cancel();
    }

    private static TrainingRunOptions Place(string folder) => new() { Folder = folder };

    private static TrainingRun Run(string folder) => new(TrainableModel.Config, Options, new TrainableModel.Images(), Place(folder));
}
