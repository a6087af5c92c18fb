using FewStep.Checkpoints;
using FewStep.Data;
using FewStep.Denoising;
using FewStep.Experiments;
using FewStep.Metrics;
using FewStep.Models;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Search;
using FewStep.Solvers;
using FewStep.Tests.Denoising;
using FewStep.Tests.Metrics;
using FewStep.Tests.Tuning;
using FewStep.Tuning;

namespace FewStep.Tests.Experiments;

/// <summary>A model of latents 4x4x4, from which patches make images of 1x8x8.</summary>
public sealed class LatentModelTests : IDisposable
{
    private static readonly ImageShape Latents = new(4, 4, 4);
    private readonly ExperimentWorld _world = new();
    private readonly PatchAutoencoder _autoencoder = new();
    private readonly Model _model;

    public LatentModelTests() => _model = Of(ExperimentWorld.Denoiser(Latents), new ModelConfig
    {
        Name = "latents",
        Shape = Latents,
        Classes = 4,
        Preconditioning = new PreconditioningConfig(),
    });

    public void Dispose()
    {
        _model.Dispose();
        _world.Dispose();
    }

    [Fact]
    public void Samples_are_decoded_and_keep_their_latents()
    {
        using var scope = NewDisposeScope();
        using var samples = _model.Sample(5, Karras(3));
        Assert.Equal((ExperimentWorld.Shape, Latents), (_model.Shape, _model.Denoiser.Shape));
        Assert.Equal([5, 1, 8, 8], samples.Images.shape);
        Assert.True(_autoencoder.EncodeAll(samples.Images).allclose(samples.Latents!, 1e-4, 1e-5));
        using var plain = ExperimentWorld.ModelOf(ExperimentWorld.Denoiser(Latents)).Sample(5, Karras(3));
        Assert.True(plain.Images.Equals(samples.Latents!));
        Assert.Null(plain.Latents);
        Assert.Equal((Latents, "weights"), (_model.Summary.Latents, _model.NetworkHash));
        Assert.NotEqual(_model.NetworkHash, _model.Hash);
    }

    [Fact]
    public void The_loss_curve_is_that_of_the_encoded_images()
    {
        var options = new LossCurveOptions { Points = 8, MaximumImages = 16, Steps = [2] };
        using var images = new StripedImages(20, 1);
        var curve = _model.MeasureCurve(images, options, null, default);
        var encoded = new LossCurveEstimator(_model.Denoiser, new Encoded(new TrainingImages(images)), options with
        { SigmaMin = _model.ScheduleRange.SigmaMin, SigmaMax = _model.ScheduleRange.SigmaMax }).Estimate(null, default);
        Assert.Equal(encoded.Loss, curve.Loss);
        Assert.NotEmpty(_autoencoder.Encoded);
        using var small = new StripedImages(4, 1, new ImageShape(1, 4, 4));
        var refused = Assert.Throws<InvalidInputException>(() => _model.MeasureCurve(small, options, null, default));
        Assert.Contains($"the model denoises latents of {ExperimentWorld.Shape}", refused.Message);
    }

    [Fact]
    public void An_experiment_measures_decoded_images_and_endpoints_of_latents()
    {
        var planned = _world.Planned(ExperimentWorld.Karras(), _world.Tailored());
        using var training = new StripedImages(40, 3);
        var summary = (planned with
        {
            Plan = planned.Plan with { Models = [(null, _model)], Solvers = [new EulerSolver()], Numbers = [2] },
            Options = planned.Options with { ShownSeeds = [0, 1] },
            Training = training,
        }).Run(null, TestContext.Current.CancellationToken)!;
        var trial = summary.Trials.First(t => t.Role != TrialRole.Teacher && t.Schedule == "karras");
        var range = SeedRange.Consecutive(100, ExperimentWorld.Images, 1)[0];
        var sampler = new Sampler(new(trial.Sigmas, trial.Terminal), new EulerSolver());
        using var samples = _model.Sample(SeedList.Of(range.Count, range.First), sampler, new() { BatchSize = 5 });
        using var measurement = _world.Frechet()[0].Begin(range.Count, range);
        using var images = new MeasuredImages(samples.Images);
        measurement.Add(images);
        Assert.Equal(measurement.Finish(default)[0].Value, trial.Figures["fd"].Ranges[0].Value, 1e-4);
        // As of latents: the flow is linear, and multiplies each latent, of a root mean square of about 80, by a number.
        Assert.InRange(trial.Figures["endpoint"].Ranges[0].Value, 1e-3, 80);
        Assert.Equal((ExperimentWorld.Shape, Latents), (summary.Model!.Shape, summary.Model.Latents));
        var strip = Path.Combine(_world.Folder, summary.ImageStrips[0].Path);
        Assert.Equal(new ImageShape(1, 8, 16), ImageHeader.Read(File.ReadAllBytes(strip), strip));
    }

    [Fact]
    public void Tuning_on_images_encodes_them_and_the_tuned_model_decodes()
    {
        using var network = ModelFolder.Initialize(TinyConfig, 1);
        using var model = Of(network, TinyConfig);
        var sampler = new Sampler(TinyModel.Schedule, new EulerSolver());
        using var images = TinyModel.Images(20, 1);
        var options = new TuningOptions { Loss = TuningLoss.Denoise, Updates = 2, Batch = 4, EvaluationInterval = 1, HeldOutCount = 2 };
        using var tuned = model.Tune(sampler, options, images, cancellation: TestContext.Current.CancellationToken);
        Assert.Equal((ExperimentWorld.Shape, 2), (tuned.Shape, tuned.Tuning!.Updates));
        Assert.Contains(4, _autoencoder.Encoded);
        using var samples = tuned.Sample(2);
        Assert.Equal([2, 1, 8, 8], samples.Images.shape);
        Assert.NotEqual(model.Hash, tuned.Hash);
        tuned.Save(_world.Folder);
        using var again = model.OpenAlike(_world.Folder);
        Assert.Equal((tuned.Hash, tuned.Shape), (again.Hash, again.Shape));
    }

    private static ModelConfig TinyConfig
    {
        get
        {
            var config = TinyModel.Config();
            var network = ((FewStep.Networks.SongUNetOptions)config.Network) with { ImgResolution = 4, InChannels = 4, OutChannels = 4 };
            return config with { Shape = Latents, Network = network };
        }
    }

    private static Sampler Karras(int steps) => new(StandardSchedule.Karras().Create(steps, 0.002, 80), new EulerSolver());

    private Model Of(IDenoiser denoiser, ModelConfig config) => Model.Of("latents", new OpenedModel
    {
        Denoiser = denoiser,
        Config = config,
        Hash = "weights",
        Format = "a test",
        Autoencoder = _autoencoder,
        Owned = new Nothing(),
    }, new ModelOptions(), []);

    private sealed class Encoded(ITrainingImages images) : ITrainingImages
    {
        public ImageShape Shape => Latents;
        public long Count => images.Count;
        public int Classes => images.Classes;

        public (Tensor Images, Tensor? Labels) Read(IReadOnlyList<long> indices)
        {
            var (read, labels) = images.Read(indices);
            return (new PatchAutoencoder().Encode(read), labels);
        }
    }

    private sealed class Nothing : IDisposable
    {
        public void Dispose()
        {
            // What the test opened is its own.
        }
    }
}
