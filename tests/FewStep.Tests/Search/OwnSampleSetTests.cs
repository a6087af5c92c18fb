using FewStep.Denoising;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Tests.Cli;

namespace FewStep.Tests.Search;

public sealed class OwnSampleSetTests(TinyWorld world) : IClassFixture<TinyWorld>
{
    private static readonly LossCurveOptions Short = new() { Points = 8, MinimumImages = 12, MaximumImages = 12, Steps = [2] };

    [Fact]
    public void Samples_are_of_their_own_seeds_and_labels_without_guidance()
    {
        using var model = Model.Open(world.Model, new() { ComputeType = ScalarType.Float32 });
        using var guided = Model.Open(world.Tuned, new()
        { ComputeType = ScalarType.Float32, Guidance = new Guidance { Weight = 3 }, Guide = world.Model });
        using var tuned = Model.Open(world.Tuned, new() { ComputeType = ScalarType.Float32 });
        using var scope = NewDisposeScope();
        using var own = new OwnSampleSet(guided, 20, 2);
        using var plain = new OwnSampleSet(tuned, 20, 2);
        var (images, labels) = own.Read([3, 0, 17]);
        var (same, _) = plain.Read([3, 0, 17]);
        long first = SeedPlan.FirstOwn + (2 * SeedPlan.SearchedInARun);
        Assert.Equal([(first + 3) % 4, first % 4, (first + 17) % 4], labels!.data<long>().ToArray());
        Assert.True(images.allclose(same, 1e-5, 1e-5));

        // The same as anybody's samples of these seeds, with a last denoise.
        var karras = tuned.CreateSampler("karras/ipndm-v:3/48");
        var fine = karras with { Schedule = new(karras.Schedule.Sigmas, FewStep.Noise.ScheduleTerminal.Zero) };
        using var sampled = tuned.Sample(SeedList.Parse($"{first + 3},{first},{first + 17}"), fine);
        Assert.True(images.allclose(sampled.Images, 1e-5, 1e-5));
        Assert.Equal((3 * 49, 49), (own.Evaluations, own.EvaluationsEach));
        own.Read([0, 3]);
        Assert.Equal(3 * 49, own.Evaluations); // kept

        byte[] bytes = new byte[64];
        own.Read(17, bytes);
        var level = ((double)sampled.Images[2, 0, 0, 0].item<float>() * 127.5) + 128;
        Assert.Equal(Math.Clamp(Math.Floor(level), 0, 255), bytes[0], 1.0);
        Assert.Equal((int)((first + 17) % 4), own.Label(17));
        Assert.NotEqual(plain.Hash, new OwnSampleSet(tuned, 21, 2).Hash);
        Assert.NotEqual(plain.Hash, new OwnSampleSet(tuned, 20, 3).Hash);
        Assert.Contains("are not 8 to 10000", Assert.Throws<InvalidInputException>(() => model.OwnSamples(7)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_loss_curve_on_them_counts_what_they_took_and_says_so()
    {
        using var model = Model.Open(world.Model);
        using var own = model.OwnSamples(12);
        var curve = model.MeasureCurve(own, Short, null, TestContext.Current.CancellationToken);
        Assert.Equal((12 * 8 * 2) + (12 * 49), curve.Origin.NetworkEvaluations);
        Assert.Contains(curve.Remarks(), r => r.Contains("fine samples of the model itself", StringComparison.Ordinal));
        string file = world.At("own-curve.json");
        LossCurveFile.Write(file, curve);
        Assert.Equal(curve.Origin.Source, LossCurveFile.Read(file).Origin.Source);
        var again = model.MeasureCurve(own, Short, null, TestContext.Current.CancellationToken);
        Assert.Equal(curve.Loss, again.Loss);
        Assert.Equal(12 * 8 * 2, again.Origin.NetworkEvaluations);
    }

    [Fact]
    public void A_curve_of_exact_samples_is_that_of_the_data()
    {
        // Of Gaussian data the samples have the data's distribution, and so the loss s^2 c^2 / (s^2 + c^2).
        string mixture = world.Write("gaussian.json", """
            {"kind":"gaussian-mixture","weights":[1],"means":[[0.1,-0.2,0.3,0]],"stds":[0.5],"shape":[1,2,2]}
            """);
        using var model = Model.Open(mixture);
        using var own = model.OwnSamples(256);
        var curve = model.MeasureCurve(own, new() { Points = 8, MinimumImages = 256, MaximumImages = 256, Steps = [2] }, null,
            TestContext.Current.CancellationToken);
        Assert.All(Enumerable.Range(0, 8), k =>
        {
            double s2 = curve.Sigmas[k] * curve.Sigmas[k];
            Assert.Equal(1, curve.Loss[k] / (s2 * 0.25 / (s2 + 0.25)), 0.1);
        });
    }

    [Theory]
    [InlineData("own-samples", true, null)]
    [InlineData("own-samples:64", true, 64)]
    [InlineData("own-samples-of-mine", false, null)]
    public void Its_name_may_say_a_number(string text, bool isOwn, int? count)
    {
        Assert.Equal(isOwn, OwnSampleSet.Is(text, out int? said));
        Assert.Equal(count, said);
    }

    [Fact]
    public async Task Verbs_take_them_in_place_of_images()
    {
        string found = world.At("own-schedules"), run = world.At("own-run");
        var json = await CommandLineRun.Of("schedule", "--model", world.Model, "--data", "own-samples:8", "--steps", "2", "--curve-points",
            "8", "--curve-images", "8", "--out", found);
        Assert.True(json.Code == 0, json.Messages);
        Assert.Contains("training images are at most 8 fine samples of the model itself", json.Messages, StringComparison.Ordinal);
        Assert.Contains("seed 4227858432", json.Messages, StringComparison.Ordinal);
        Assert.Contains("not on images from elsewhere", json.Output.ReplaceLineEndings(" "), StringComparison.Ordinal);
        var summary = await CommandLineRun.Of("run", "--model", world.Model, "--data", "own-samples:8", "--steps", "2", "--rounds", "0",
            "--no-fit", "--samples", "4", "--ranges", "2", "--curve-points", "8", "--curve-images", "8", "--out", run,
            "--strip-seeds", "none");
        Assert.True(summary.Code == 0, summary.Messages);
        await CommandLineRun.Refused("own-samples:256", "schedule", "--model", world.Model, "--data", "own-samples:many", "--out", found);
        await CommandLineRun.Refused("give real images", "run", "--model", world.Model, "--data", "own-samples:8", "--metrics", "fd",
            "--out", world.At("own-fd"));
    }
}
