using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Fitting;
using FewStep.Metrics;
using FewStep.Models;
using FewStep.Search;
using FewStep.Tests.Checkpoints;
using FewStep.Tests.Data;
using FewStep.Tests.Tuning;
using FewStep.Tuning;

namespace FewStep.Tests;

/// <summary>
/// What a GPU computes is what the processor computes, to float32's rounding. Skipped without a GPU, unless the environment variable
/// FEWSTEP_TEST_DEVICE names a device; a build with <c>-p:TorchDevice=cuda</c> or <c>external</c> has one (docs/gpu.md).
/// </summary>
public sealed class GpuTests
{
    private static readonly string Name =
        Environment.GetEnvironmentVariable("FEWSTEP_TEST_DEVICE") is { Length: > 0 } given ? given : "cuda";

    public static TheoryData<string> Checkpoints =>
        ["edm-adm-cond.pkl", "edm-ddpmpp-uncond.pkl", "edm-ncsnpp-cond.pkl", "ve-ncsnpp-uncond.pkl", "guided-diffusion-adm-cond.pt"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Checkpoints))]
    public void A_checkpoint_samples_the_same_images(string file)
    {
        var (here, there) = Pair(file, null);
        using (here)
        using (there)
        {
            using var expected = here.Sample(3, here.CreateSampler("karras/ipndm:3/3"));
            using var actual = there.Sample(3, there.CreateSampler("karras/ipndm:3/3"));
            Assert.Equal(there.Denoiser.Device.type, actual.Images.device_type);
            Assert.InRange(Difference(expected.Images, actual.Images), 0, 5e-3);
        }
    }

    [Fact]
    public void Guidance_over_an_interval_samples_the_same_images()
    {
        var (here, there) = Pair("edm-adm-cond.pkl", new Guidance { Weight = 2, SigmaLow = 0.1, SigmaHigh = 10 });
        using (here)
        using (there)
        {
            using var expected = here.Sample(3, here.CreateSampler("karras/euler/4"));
            using var actual = there.Sample(3, there.CreateSampler("karras/euler/4"));
            Assert.InRange(Difference(expected.Images, actual.Images), 0, 5e-3);
            Assert.Equal(expected.EvaluationsPerImage, actual.EvaluationsPerImage);
        }
    }

    [Fact]
    public void Loss_curve_fit_and_refinement_find_the_same_sampler()
    {
        var (here, there) = Pair("edm-ddpmpp-uncond.pkl", null);
        using (here)
        using (there)
        {
            var random = new Random(3);
            byte[] Image() => [.. Enumerable.Range(0, (int)here.Shape.Dimension).Select(_ => (byte)random.Next(256))];
            var images = new ListImageSet(here.Shape, [.. Enumerable.Range(0, 32).Select(_ => Image())]);
            var curve = new LossCurveOptions { Points = 8, MinimumImages = 32, MaximumImages = 32, Steps = [3] };
            var (expected, actual) = (here.MeasureCurve(images, curve, null, Token), there.MeasureCurve(images, curve, null, Token));
            Assert.All(expected.Loss.Zip(actual.Loss), pair => Assert.Equal(1, pair.Second / pair.First, 1e-3));
            var options = new FitOptions { Latents = 16, HeldOutLatents = 8, TeacherSteps = 12, RefineIterations = 1, Distance = "pixels" };
            var first = here.FitSamplers([here.CreateSampler("karras/euler/3")], options, 0, null, Token)[0];
            var second = there.FitSamplers([there.CreateSampler("karras/euler/3")], options, 0, null, Token)[0];
            Assert.Equal(first.Origin.Fit!.HeldOut.Value, second.Origin.Fit!.HeldOut.Value, 0.02 * first.Origin.Fit.HeldOut.Value);
        }
    }

    [Theory]
    [InlineData(TuningLoss.Trajectory)]
    [InlineData(TuningLoss.Regression)]
    [InlineData(TuningLoss.Endpoint)]
    [InlineData(TuningLoss.Consistency)]
    public void A_tuning_starts_at_the_same_distance_and_gets_better(TuningLoss loss)
    {
        var device = Resolved();
        using var here = TinyModel.Create();
        using var there = TinyModel.Create();
        there.MoveTo(device);
        var options = new TuningOptions
        {
            Loss = loss,
            Updates = 6,
            Batch = 8,
            HeldOutCount = 16,
            EvaluationInterval = 3,
            Distance = loss == TuningLoss.Trajectory ? null : "pixels",
        };
        using var expected = new Tuner(here, TinyModel.Sampler, options).Run(cancellation: Token);
        using var actual = new Tuner(there, TinyModel.Sampler, options).Run(cancellation: Token);
        Assert.Equal(device.type, actual.Weights.device_type);
        Assert.All(expected.Report.Curve.Zip(actual.Report.Curve),
            pair => Assert.Equal(1, pair.Second.HeldOut / pair.First.HeldOut, 5e-3));
    }

    [Fact]
    public void Features_are_the_same()
    {
        using var scope = NewDisposeScope();
        var device = Resolved();
        string folder = Path.Combine(AppContext.BaseDirectory, "models", "fashion-mnist-classifier");
        using var generator = new Generator(4);
        var images = rand([8, 1, 28, 28], generator: generator).mul(2).sub(1);
        using var here = FeatureClassifierFolder.Load(folder, CPU);
        using var there = FeatureClassifierFolder.Load(folder, device);
        Assert.InRange(Difference(here.Features(images), there.Features(images.to(device))), 0, 1e-3);
    }

    private static (Model Here, Model There) Pair(string file, Guidance? guidance)
    {
        Resolved();
        ModelOptions Of(string device) => new()
        {
            ComputeType = ScalarType.Float32,
            Device = DeviceChoice.Parse(device),
            Guidance = guidance,
            Guide = guidance is null ? null : GuidedDiffusionTests.Golden("edm-ddpmpp-uncond.pkl"),
            Checkpoint = file.StartsWith("guided", StringComparison.Ordinal) ? GuidedDiffusionTests.Golden16 : new ModelReadOptions(),
        };
        string path = GuidedDiffusionTests.Golden(file);
        return (Model.Open(path, Of("cpu")), Model.Open(path, Of(Name)));
    }

    private static Device Resolved()
    {
        Assert.SkipUnless(Name != "cuda" || cuda.is_available(), "There is no GPU.");
        return DeviceChoice.Parse(Name).Resolve();
    }

    private static double Difference(Tensor expected, Tensor actual)
    {
        using var scope = NewDisposeScope();
        return (expected.cpu() - actual.cpu()).abs().max().item<float>();
    }
}
