using System.Text.Json;
using FewStep.Denoising;
using FewStep.Models;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Tests.Cli;
using FewStep.Tests.Data;
using FewStep.Tuning;

namespace FewStep.Tests.Models;

public sealed class ModelTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    private static readonly TuningOptions Short = new()
    { Updates = 2, Batch = 2, HeldOutCount = 4, EvaluationInterval = 2, TeacherSubsteps = 1, SnapshotFractions = [] };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Eight_callers_at_once_get_the_bytes_and_counts_that_one_gets_alone(bool guided)
    {
        var guidance = guided ? new ModelOptions { Guidance = new Guidance { Weight = 2 }, Guide = world.Tuned } : new ModelOptions();
        using var model = Model.Open(world.Model, guidance);
        var samplers = new[] { model.CreateSampler("karras/ipndm:3/4"), model.CreateSampler("log-snr/heun/3") };
        var alone = samplers.Select(s => Bytes(model, s)).ToArray();
        using var cold = Model.Open(world.Model, guidance); // whose weights are first looked at by all of them
        var together = await Task.WhenAll(Enumerable.Range(0, 8).Select(i => Task.Run(() => Bytes(cold, samplers[i % 2]), Token)));
        Assert.All(together.Index(), t => Assert.Equal(alone[t.Index % 2], t.Item));
    }

    [Fact]
    public async Task A_model_is_sampled_and_searched_while_it_is_tuned()
    {
        using var model = Model.Open(world.Model);
        using var images = Images.Open(world.Data);
        var sampler = model.CreateSampler("karras/euler/2");
        var alone = Bytes(model, sampler);
        var tuning = model.TuneAsync(sampler, Short, cancellation: Token);
        var search = model.FindSamplerAsync(images.Train, 2, Curve(), cancellation: Token);
        for (int i = 0; i < 5; i++)
            Assert.Equal(alone, Bytes(model, sampler));
        using var tuned = await tuning;
        Assert.Equal((await search).Schedule, model.FindSampler(images.Train, 2, Curve(), cancellation: Token).Schedule);
        Assert.Equal(ComputeType.Name(ComputeType.Usual(TorchSharp.torch.CPU)), tuned.NumberFormat);
    }

    [Fact]
    public async Task The_library_and_the_verbs_make_the_same_files()
    {
        string found = world.At("found"), tuned = world.At("tuned-by-verb"), saved = world.At("tuned-by-library");
        using var model = Model.Open(world.Model);
        using var images = Images.Open(world.Data);
        var sampler = model.FindSampler(images.Train, 3, Curve() with { FitsSolver = false }, cancellation: Token);
        var result = await CommandLineRun.Json("schedule", "--model", world.Model, "--data", world.Data, "--steps", "3", "--curve-images",
            "8", "--curve-points", "8", "--out", found);
        string file = result.GetProperty("schedules")[0].GetProperty("file").GetString()!;
        Assert.EndsWith("phase1-power-0-n3.sampler.json", file, StringComparison.Ordinal);
        string own = world.At("own.sampler.json");
        sampler.Save(own);
        Assert.Equal(await File.ReadAllTextAsync(file, Token), await File.ReadAllTextAsync(own, Token));
        Assert.Equal("phase1/euler/3", sampler.ToString());

        using (var student = model.Tune(sampler, Short, cancellation: Token))
        {
            Assert.Equal(sampler, student.Sampler);
            Assert.Equal(TuningStop.AllUpdates, student.Tuning!.Stop);
            student.Save(saved);
            await CommandLineRun.Json(
                "tune", "--model", world.Model, "--sampler", file, "--updates", "2", "--tune-batch", "2", "--held-out", "4",
                "--check-every", "2", "--teacher-substeps", "1", "--snapshots", "none", "--out", tuned);
            foreach (string name in new[] { "model.safetensors", "config.json", "sampler.json" })
            {
                Assert.Equal(await File.ReadAllBytesAsync(System.IO.Path.Combine(tuned, name), Token),
                    await File.ReadAllBytesAsync(System.IO.Path.Combine(saved, name), Token));
            }

            using var opened = Model.Open(tuned);
            Assert.Equal(student.Identity, opened.Identity);
            Assert.Equal(student.Sampler, opened.Sampler);
            Assert.Equal(Bytes(student, student.DefaultSampler), Bytes(opened, opened.DefaultSampler));
        }

        var plain = await CommandLineRun.Of("sample", "--model", tuned, "--seeds", "0-1", "--out", world.At("images"), "--json");
        Assert.Contains("own sampler is taken: phase1/euler/3", plain.Messages, StringComparison.Ordinal);
        using var manifest = JsonDocument.Parse(plain.Output);
        Assert.Equal(sampler.Schedule.Sigmas, manifest.RootElement.GetProperty("sigmas").EnumerateArray().Select(s => s.GetDouble()));
        var other = await CommandLineRun.Of(
            "sample", "--model", tuned, "--seeds", "0-1", "--sampler", "karras/euler/3", "--out", world.At("other-images"));
        Assert.Contains("Warning: the model was tuned to its own sampler phase1/euler/3; it is sampled with another one, karras/euler/3.",
            other.Messages, StringComparison.Ordinal);
        var same = await CommandLineRun.Of(
            "sample", "--model", tuned, "--seeds", "0-1", "--sampler", file, "--out", world.At("same-images"));
        Assert.DoesNotContain("Warning", same.Messages, StringComparison.Ordinal);
        var untuned = await CommandLineRun.Of("sample", "--model", world.Model, "--seeds", "0-1", "--out", world.At("untuned-images"));
        Assert.Contains("karras/ipndm:3/8 is taken", untuned.Messages, StringComparison.Ordinal);
    }

    [Fact]
    public void Samples_are_the_callers_and_can_be_kept()
    {
        using var model = Model.Open(world.Model);
        using var samples = model.Sample(SeedList.Parse("3,7"), options: new SampleOptions { BatchSize = 1, Label = 2 });
        Assert.Equal([3L, 7L], samples.Seeds);
        Assert.Equal((8, "karras/ipndm:3/8"), (samples.EvaluationsPerImage, samples.Sampler.ToString()));
        samples.Save(world.At("kept"));
        Assert.Equal(["000003.png", "000007.png"], Directory.GetFiles(world.At("kept")).Select(System.IO.Path.GetFileName).Order());
        samples.SaveGrid(world.At("grid.png"));
        using var grid = PngFiles.Read(world.At("grid.png"));
        Assert.Equal([1, 1, 8, 17], grid.shape);
        Assert.Throws<OperationCanceledException>(() => model.Sample(1, cancellation: new CancellationToken(canceled: true)));
        Assert.Throws<InvalidInputException>(() => model.Sample(0));
        Assert.Throws<InvalidInputException>(() => model.Sample(1, options: new SampleOptions { Label = 4 }));
    }

    [Fact]
    public void A_cancelled_or_diverged_tuning_is_no_model()
    {
        using var model = Model.Open(world.Model);
        var sampler = model.CreateSampler("karras/euler/2");
        Assert.Throws<OperationCanceledException>(() => model.Tune(sampler, Short, cancellation: new CancellationToken(canceled: true)));
        Assert.Contains("diverged", Assert.Throws<InvalidInputException>(
            () => model.Tune(sampler, Short with { Updates = 40, LearningRate = 1e30 })).Message, StringComparison.Ordinal);
        Assert.Contains("one evaluation a step", Assert.Throws<InvalidInputException>(
            () => model.Tune(model.CreateSampler("karras/heun/2"), Short)).Message, StringComparison.Ordinal);
        Assert.Contains("needs training", Assert.Throws<InvalidInputException>(
            () => model.Tune(sampler, Short with { Loss = TuningLoss.Denoise })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tuning_starts_at_an_earlier_one_and_learns_from_the_model()
    {
        using var model = Model.Open(world.Model, new() { ComputeType = float32 });
        using var earlier = Model.Open(world.Tuned, new() { ComputeType = float32 });
        var sampler = model.CreateSampler("karras/euler/2");

        // With a learning rate of nothing it stays where it starts; judged are the same latents by each model's own path.
        var still = Short with { LearningRate = 1e-12, Distance = "pixels" };
        double Before(Model teacher, Model? start)
        {
            using var tuned = teacher.Tune(sampler, still, start: start, cancellation: Token);
            Assert.Equal(Bytes(start ?? teacher, sampler), Bytes(tuned, sampler));
            return tuned.Tuning!.Curve[0].HeldOut;
        }

        double distance = Before(model, earlier);
        Assert.NotEqual(Before(model, null), distance, 1e-4);
        Assert.NotEqual(Before(earlier, null), distance, 1e-4);

        string folder = world.At("started");
        string[] verb = ["tune", "--model", world.Model, "--dtype", "float32", "--sampler", "karras/euler/2", "--updates", "2",
            "--tune-batch", "2", "--held-out", "4", "--check-every", "2", "--teacher-substeps", "1", "--snapshots", "none",
            "--learning-rate", "1e-12", "--distance", "pixels"];
        var report = await CommandLineRun.Json([.. verb, "--start", world.Tuned, "--out", folder]);
        Assert.Equal(distance, report.GetProperty("curve")[0].GetProperty("held_out").GetDouble(), 1e-6);
        await CommandLineRun.Refused("(start is", [.. verb, "--out", folder]); // there is a tuning that started elsewhere
        await CommandLineRun.Refused(
            "--search tunes from --model", [.. verb, "--start", world.Tuned, "--search", "1", "--out", world.At("searched")]);
        string other = TinyWorld.WriteModel(world.At("coloured"), 1, channels: 3);
        await CommandLineRun.Refused("another architecture", [.. verb, "--start", other, "--out", world.At("of-another")]);
    }

    [Fact]
    public void Tuning_and_sampling_leave_no_tensors_behind()
    {
        using var model = Model.Open(world.Model);
        var sampler = model.CreateSampler("karras/euler/2");
        long before = 0;
        for (int round = 0; round < 3; round++)
        {
            model.Sample(2, sampler).Dispose();
            model.Tune(sampler, Short).Dispose();
            before = round == 0 ? TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount : before;
        }

        Assert.Equal(before, TorchSharp.DisposeScopeManager.Statistics.ThreadTotalLiveCount);
    }

    private static FindOptions Curve() => new() { Curve = new LossCurveOptions { MaximumImages = 8, Points = 8 } };

    private static string Bytes(Model model, Sampler sampler)
    {
        using var samples = model.Sample(6, sampler, new SampleOptions { BatchSize = 4 });
        using var bytes = samples.Images.contiguous();
        return $"{samples.EvaluationsPerImage} {Convert.ToHexString(bytes.bytes)}";
    }
}
