using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Metrics;
using FewStep.Tuning;
using FewStep.Networks;
using FewStep.Noise;
using FewStep.Sampling;
using FewStep.Solvers;
using FewStep.Tests.Tuning;
using TorchSharp;

namespace FewStep.Tests;

/// <summary>
/// Everything on a device that holds no numbers: libtorch's <c>meta</c> refuses every operation with a tensor that lies elsewhere, and
/// every reading of a number. What passes there makes its tensors on the model's device and copies nothing back. It has no convolutions and
/// lacks some other operations, so a network without them stands for one.
/// </summary>
public sealed class DeviceTests
{
    private static readonly Device Elsewhere = new(DeviceType.META);
    private static readonly SamplingSchedule Schedule = new([80, 20, 5, 1.5, 0.4, 0.1]);

    public static TheoryData<string> Solvers
        => [.. SolverCatalog.All.Where(s => !s.AddsNoise).Select(s => s.ThresholdsDenoised ? $"{s.Name}:thresholding=false" : s.Name)];

    [Theory]
    [MemberData(nameof(Solvers))]
    public void A_solver_samples_without_the_processor(string name)
    {
        using var scope = NewDisposeScope();
        using var model = Model(3);
        using var batch = new BatchSampler(new SamplingLoop(model, SolverCatalog.Find(name), Schedule)).Sample([3, 4, 5]).Single();
        Assert.Equal((DeviceType.META, DeviceType.META), (batch.Images.device_type, batch.Labels!.device_type));
        Assert.Equal([3, 1, 8, 8], batch.Images.shape);
    }

    [Fact]
    public void Churn_and_a_guide_that_always_acts_sample_without_the_processor()
    {
        using var scope = NewDisposeScope();
        using var model = Model(3);
        using var guide = Model(3);
        var guided = GuidedDenoiser.Auto(model, guide, new Guidance { Weight = 2 });
        Assert.Equal(DeviceType.META, guided.Device.type);
        var options = new SampleOptions { Churn = new StochasticChurn { Amount = 10 } };
        using var batch = new BatchSampler(new SamplingLoop(guided, new HeunSolver(), Schedule, options)).Sample([3, 4]).Single();
        Assert.Equal(DeviceType.META, batch.Images.device_type);
    }

    [Theory]
    [InlineData("vp")]
    [InlineData("ve")]
    [InlineData("edm")]
    public void A_preconditioning_computes_where_sigma_lies(string kind)
    {
        using var scope = NewDisposeScope();
        IPreconditioning preconditioning = kind switch
        {
            "vp" => new VpPreconditioning(),
            "ve" => new VePreconditioning(),
            _ => new EdmPreconditioning(),
        };
        var c = preconditioning.Coefficients(ones(3, device: Elsewhere));
        Assert.All(new[] { c.Skip, c.Out, c.In, c.Noise }, t => Assert.Equal(DeviceType.META, t.device_type));
    }

    [Fact]
    public void A_table_is_copied_to_a_device_once()
    {
        var table = new DeviceTable([1, 2, 3]);
        var first = table.On(Elsewhere);
        Assert.Equal((DeviceType.META, ScalarType.Float64), (first.device_type, first.dtype));
        Assert.Same(first, table.On(Elsewhere));
        Assert.Equal(6, table.On(CPU).sum().item<double>());
    }

    [Theory]
    [InlineData(TimeRounding.NearestSigma)]
    [InlineData(TimeRounding.NearestLogarithm)]
    [InlineData(TimeRounding.Between)]
    public void The_times_of_a_discrete_noise_are_those_of_its_rule(object roundingGiven)
    {
        var rounding = (TimeRounding)roundingGiven;
        using var scope = NewDisposeScope();
        foreach (var noise in new[] { DiscreteVpNoise.Linear(), DiscreteVpNoise.ScaledLinear(times: 50), DiscreteVpNoise.Cosine(2) })
        {
            double low = Math.Log(noise.Sigmas[0] / 3), high = Math.Log(noise.Sigmas[^1] * 3);
            double[] sigmas = [.. Enumerable.Range(0, 5000).Select(i => Math.Exp(low + ((high - low) * i / 4999))), .. noise.Sigmas];
            var times = new DiscreteVpPreconditioning(noise, rounding: rounding).Coefficients(tensor(sigmas)).Noise.data<double>()
                .ToArray();
            for (int i = 0; i < sigmas.Length; i++)
                Assert.Equal(noise.Time(sigmas[i], rounding), times[i], 1e-9);
        }
    }

    [Fact]
    public void A_network_with_all_its_buffers_is_moved()
    {
        using var scope = NewDisposeScope();
        var song = (SongUNetOptions)TrainableModel.Config.Network with
        { EmbeddingType = "fourier", ChannelMultNoise = 2, EncoderType = "residual", ResampleFilter = [1, 3, 3, 1] };
        using var model = ModelFolder.Initialize(TrainableModel.Config with { Network = song }, 0);
        var x = ones(2, 1, 8, 8);
        var before = model.Denoise(x, ones(1), null);
        model.MoveTo(CPU);
        Assert.Equal(0, (before - model.Denoise(x, ones(1), null)).abs().max().item<float>());
        Assert.True(model.CountMultiplyAdds() > model.Layout.Count);
        model.MoveTo(Elsewhere);
        Assert.Equal(DeviceType.META, model.Device.type);
        Assert.All(model.Buffers.Values, buffer => Assert.Equal(DeviceType.META, buffer.device_type));
    }

    [Fact]
    public void Layers_make_their_tensors_where_their_input_lies()
    {
        using var scope = NewDisposeScope();
        var builder = new NetworkBuilder();
        var fourier = new FourierEmbedding(builder, 8);
        builder.MoveBuffers(Elsewhere);
        Assert.Equal(DeviceType.META, fourier.Forward(ones(3, device: Elsewhere)).device_type);
        Assert.Equal(DeviceType.META, new PositionalEmbedding(8, endpoint: true).Forward(ones(3, device: Elsewhere)).device_type);
        var x = ones([2, 16, 4, 4], ScalarType.BFloat16, Elsewhere).permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        Assert.False(FusedGroupNorm.Takes(x));
        using var generator = new Generator(1);
        Assert.Equal(DeviceType.META, DeviceRandom.Uniform([3, 4], generator, Elsewhere).device_type);
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void A_training_loss_and_its_gradient_read_nothing(ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var model = Model(3);
        model.ComputeType = type;
        foreach (TrainingLoss loss in new TrainingLoss[] { new EdmLoss(), new VpLoss(), new VeLoss() })
        {
            using var state = new TrainingState(model.Weights.clone(), new AdamWOptions { WeightDecay = 0.1 }, 1000);
            using var generator = new Generator(1);
            var leaf = state.Weights.detach().requires_grad_();
            loss.Compute(model, leaf, ones([4, 1, 8, 8], device: Elsewhere), ones([4], ScalarType.Int64, Elsewhere), generator).backward();
            Assert.All(new[] { leaf.grad!, state.Optimizer.FirstMoment, state.Optimizer.SecondMoment, state.Average!.Weights },
                t => Assert.Equal(DeviceType.META, t.device_type));
        }
    }

    [Fact]
    public void A_denoising_update_of_phase_2_reads_nothing()
    {
        using var scope = NewDisposeScope();
        using var model = Model(0);
        var images = new TuningImages(Tuning.TinyModel.Images(10, 1), Tuning.TinyModel.Images(5, 2));
        using var denoise = new DenoiseObjective(new TuningNetwork(new Trainable(model)), Tuning.TinyModel.Schedule,
            new TuningOptions { Loss = TuningLoss.Denoise, Batch = 4 }, images);
        var leaf = model.Weights.detach().clone().requires_grad_();
        Assert.Equal(DeviceType.META, denoise.Backpropagate(0, leaf, TestContext.Current.CancellationToken).device_type);
        Assert.Equal(DeviceType.META, leaf.grad!.device_type);
    }

    [Fact]
    public void The_teachers_paths_lie_where_the_model_does()
    {
        using var scope = NewDisposeScope();
        using var model = Model(3);
        var seeds = TuningSeeds.Training(0, 0, 4);
        var latents = Latents.Draw(seeds, model.Shape, device: model.Device);
        var states = new TeacherPath(model, Tuning.TinyModel.Schedule, SolverCatalog.Find("ipndm:3"), 4)
            .Solve(latents, SeedLabels.For(seeds, 3, device: model.Device), TestContext.Current.CancellationToken);
        Assert.All(states, s => Assert.Equal(DeviceType.META, s.device_type));
    }

    [Fact]
    public void A_classifier_lies_where_it_was_made()
    {
        using var scope = NewDisposeScope();
        using var classifier = new FeatureClassifier(
            new ClassifierConfiguration(new ImageShape(1, 8, 8), 4, [8, 16], 1, "FD"), 3, Elsewhere);
        Assert.All(classifier.Weights(), w => Assert.Equal(DeviceType.META, w.Value.device_type));
        Assert.Equal(DeviceType.META, classifier.ClassLogits(ones(2, 16, device: Elsewhere)).device_type);
    }

    [Fact]
    public void Figures_are_read_at_once_on_the_processor_and_in_groups_elsewhere()
    {
        using var scope = NewDisposeScope();
        var here = new UnreadUpdates(CPU);
        Assert.Equal([new TrainingUpdate(7, 70, 2, 3, 0.5)], here.Add(7, 70, tensor(2f), tensor(3f), 0.5));
        var gpu = new UnreadUpdates(new Device(DeviceType.CUDA, 0));
        for (int i = 0; i < 19; i++)
            Assert.Empty(gpu.Add(i, 10 * i, tensor((float)i), tensor(i + 0.5f), 0.1));
        Assert.Equal([.. Enumerable.Range(0, 20).Select(i => new TrainingUpdate(i, 10 * i, i, i + 0.5, 0.1))],
            gpu.Add(19, 190, tensor(new[] { 19f }), tensor(19.5f), 0.1));
        Assert.True(gpu.IsEmpty);
        Assert.Empty(gpu.Read());
        Assert.Empty(gpu.Add(20, 200, tensor(1f), tensor(1f), 0.1));
        Assert.Single(gpu.Read());
    }

    private static NetworkDenoiser Model(int classes)
    {
        var network = new Pointwise();
        var model = new NetworkDenoiser(network, new EdmPreconditioning(), new ImageShape(1, 8, 8), classes, network.Layout.Initialize(1));
        model.MoveTo(Elsewhere);
        return model;
    }

    // A network that treats every pixel alone.
    private sealed class Pointwise : Network
    {
        private readonly FourierEmbedding _noise;
        private readonly Linear _linear;

        public Pointwise() => (_noise, _linear) = (new FourierEmbedding(Builder, 4),
            new Linear(Builder, 4, 1, new WeightInit(WeightInitMode.KaimingNormal)));

        public override double Dropout => 0.1;

        public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition)
        {
            var classes = OneHot(condition?.Classes, x.shape[0], 3, x.device);
            var scale = _linear.Forward(pass, _noise.Forward(noiseLabels)) + classes.sum(1, keepdim: true);
            var kept = pass.Dropout is { } generator ? DeviceRandom.Uniform(x.shape, generator, x.device).ge(0.1).to(x.dtype)
                : ones_like(x);
            return x * kept * scale.view(-1, 1, 1, 1).to(x.dtype);
        }
    }
}
