using FewStep.Tuning;
using FewStep.Noise;
using FewStep.Tests.Data;

namespace FewStep.Tests.Tuning;

public sealed class TuningOptionsTests
{
    [Fact]
    public void The_defaults_are_valid() => new TuningOptions().Validate();

    [Fact]
    public void All_that_is_wrong_comes_in_one_line()
    {
        var options = new TuningOptions
        {
            Loss = (TuningLoss)9,
            Updates = 0,
            Batch = 0,
            MicroBatch = -2,
            LearningRate = double.NaN,
            WarmUpUpdates = 3,
            EmaHalfLifeImages = 0,
            AdamW = new AdamWOptions { ClipNorm = 0, Beta1 = 1 },
            EvaluationInterval = 0,
            HeldOutCount = 0,
            Patience = -1,
            SnapshotFractions = [0],
            TeacherSubsteps = 0,
            TeacherReuse = 0,
            TeacherBatches = 0,
            LabelDropout = 2,
            EnergyWeight = double.NaN,
            Seed = -1,
        };
        string message = Assert.Throws<InvalidInputException>(options.Validate).Message;
        Assert.DoesNotContain('\n', message);
        string[] named = ["loss 9", "updates", "batch", "micro-batch", "learning rate", "warm-up", "half-life", "clipped", "moments",
            "interval", "held-out", "patience", "snapshot", "substeps", "reuse", "batches", "dropout", "energy", "seed"];
        Assert.All(named, name => Assert.Contains(name, message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(TuningLoss.Trajectory, 16, "compares no images")]
    [InlineData(TuningLoss.Denoise, 16, "compares no images")]
    [InlineData(TuningLoss.Endpoint, 1, "2 images or more")]
    public void An_energy_distance_is_of_several_images(TuningLoss loss, int batch, string part)
        => Refused.With(part, new TuningOptions { Loss = loss, Batch = batch, EnergyWeight = 1 }.Validate);

    [Fact]
    public void Snapshots_fall_on_whole_updates()
        => Assert.Equal([1, 2, 3], new TuningOptions { Updates = 3, SnapshotFractions = [1, 0.01, 0.6] }.SnapshotUpdates);

    [Fact]
    public void What_does_not_fit_is_refused()
    {
        using var model = TinyModel.Create();
        var denoise = new TuningOptions { Loss = TuningLoss.Denoise };
        Refused.With("needs training", () => _ = new Tuner(model, TinyModel.Sampler, denoise));
        Refused.With("convex_combination", () => _ = new Tuner(model, TinyModel.Sampler with
        { Schedule = new SamplingSchedule(TinyModel.Schedule.Sigmas, ScheduleTerminal.Zero) },
            new TuningOptions { Weighting = LevelWeighting.ConvexCombination }));
        var other = ListImageSet.Numbered(3);
        Refused.With("held-out images are 1x2x3",
            () => _ = new Tuner(model, TinyModel.Sampler, denoise, new TuningImages(TinyModel.Images(3, 1), other)));
        Assert.Throws<ArgumentException>(() => new Tuner(model, TinyModel.Sampler).Run(zeros(3)));
    }
}
