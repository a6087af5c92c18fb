using FewStep.Models;
using FewStep.Checkpoints;
using FewStep.Denoising;
using FewStep.Fitting;
using FewStep.Noise;
using FewStep.Onnx;
using FewStep.Sampling;
using FewStep.Solvers;

namespace FewStep.Tests.Onnx;

public sealed class OnnxDenoiserTests : TensorFileTests
{
    private readonly DiscreteVpNoise _noise = DiscreteVpNoise.Linear();

    [Fact]
    public void A_golden_denoiser_gives_the_reference_s_images()
    {
        using var model = OnnxModel.Open(Golden("denoiser.onnx"), threads: 1);
        var golden = NpzFile.Read(Golden("onnx.golden.npz"));
        Assert.Equal((new ImageShape(3, 16, 16), 0, null), (model.Denoiser.Shape, model.Denoiser.Classes, model.Denoiser.FixedBatch));
        Assert.InRange(Error(
            model.Denoiser.Denoise(golden["x"].ToTensor(), golden["sigma"].ToTensor(), null), golden["denoised"].ToTensor()), 0, 2e-5);
        Assert.Equal("denoised, sigma", model.Preconditioning);
    }

    [Fact]
    public void A_golden_noise_predictor_is_a_denoiser_at_the_sigma_of_its_timestep()
    {
        using var model = OnnxModel.Open(
            Golden("eps-model.onnx"), new OnnxModelDescription { Prediction = OnnxPrediction.Epsilon, Noise = "vp-linear" }, 1);
        var golden = NpzFile.Read(Golden("onnx.golden.npz"));
        double sigma = _noise.Sigmas[(int)golden["timestep"].ToDoubles()[0]];
        var x = golden["sample"].ToTensor() * Math.Sqrt(1 + sigma * sigma);
        Assert.InRange(Error(model.Denoiser.Denoise(x, Level(sigma), null), x - sigma * golden["out_sample"].ToTensor()), 0, 2e-5);
        Assert.Equal((_noise.Sigmas[0], _noise.Sigmas[^1]), (model.Denoiser.SigmaMin, model.Denoiser.SigmaMax));
    }

    [Fact]
    public void A_sampler_fitted_to_it_has_the_weights_of_the_same_model_elsewhere()
    {
        using var model = OnnxModel.Open(GaussianOnnx.Denoised().Write(_folder.File("m.onnx")), new OnnxModelDescription(), 1);
        using var exact = GaussianOnnx.Exact();
        var options = new FitOptions { Latents = 16, HeldOutLatents = 8, Corrections = FitCorrections.Slope, BatchSize = 5 };
        double[] Slopes(IDenoiser denoiser)
        {
            var schedule = StandardSchedule.Karras().Create(3, 0.01, 50);
            var found = new SolverFit(denoiser, denoiser, options, 0, new PixelEmbedding()).Fit(
                [[schedule]], null, TestContext.Current.CancellationToken).Single().Result;
            return [.. Assert.IsType<FittedSolver>(found.Solver).Corrections.Select(c => c.Slope)];
        }

        Assert.Equal(Slopes(exact), Slopes(model.Denoiser), (a, b) => Math.Abs(a - b) < 1e-3);
    }

    [Theory]
    [InlineData(OnnxPrediction.Epsilon)]
    [InlineData(OnnxPrediction.V)]
    [InlineData(OnnxPrediction.Sample)]
    [InlineData(OnnxPrediction.Flow)]
    [InlineData(OnnxPrediction.Denoised)]
    public void Every_prediction_of_gaussian_data_is_its_exact_denoiser(OnnxPrediction prediction)
    {
        var file = prediction switch
        {
            OnnxPrediction.Epsilon => GaussianOnnx.Discrete(_noise, GaussianOnnx.Epsilon),
            OnnxPrediction.V => GaussianOnnx.Discrete(_noise, GaussianOnnx.V),
            OnnxPrediction.Sample => GaussianOnnx.Discrete(_noise, GaussianOnnx.Sample),
            OnnxPrediction.Flow => GaussianOnnx.Flow(),
            _ => GaussianOnnx.Denoised(),
        };
        bool discrete = prediction is OnnxPrediction.Epsilon or OnnxPrediction.V or OnnxPrediction.Sample;
        using var model = OnnxModel.Open(file.Write(_folder.File("m.onnx")),
            new OnnxModelDescription { Prediction = prediction, Noise = discrete ? "vp-linear" : null }, 1);
        // Levels that the network knows: the time it is told is exact there.
        var sigma = tensor(new[] { _noise.Sigmas[20], _noise.Sigmas[300], _noise.Sigmas[700] }, float32);
        var x = Images(3, 1) * (sigma * sigma + 0.5).sqrt().view(-1, 1, 1, 1);
        using var exact = GaussianOnnx.Exact();
        Assert.InRange(Error(model.Denoiser.Denoise(x, sigma, null), exact.Denoise(x, sigma, null)), 0, 3e-5);
        Assert.Equal(ScalarType.Float64, model.Denoiser.Denoise(x.to(float64), sigma.to(float64), null).dtype);
    }

    [Theory]
    [InlineData(null, null)] // any batch, a time for each image
    [InlineData(null, 1)] // any batch, one time for all
    [InlineData(2, 2)] // a fixed batch
    [InlineData(4, 1)] // a fixed batch that shares its time
    [InlineData(1, 1)]
    public void Batches_change_nothing_whatever_the_model_fixes(int? batch, int? times)
    {
        var path = GaussianOnnx.Discrete(_noise, GaussianOnnx.Epsilon, batch, times).Write(_folder.File("m.onnx"));
        using var model = OnnxModel.Open(path, new OnnxModelDescription { Prediction = OnnxPrediction.Epsilon, Noise = "vp-linear" }, 1);
        Assert.Equal(batch, model.Denoiser.FixedBatch);
        var x = Images(5, 2);
        var sigma = tensor(new[] { 0.5, 3, 0.5, 40, 3 }, float32);
        var all = model.Denoiser.Denoise(x, sigma, null);
        for (int i = 0; i < 5; i++)
        {
            var one = model.Denoiser.Denoise(x.narrow(0, i, 1), sigma.narrow(0, i, 1), null);
            Assert.True(one.allclose(all.narrow(0, i, 1), 1e-6, 1e-7));
        }

        Assert.True(model.Denoiser.Denoise(x, Level(3), null)[4].allclose(all[4], 1e-6, 1e-7));
    }

    [Theory]
    [InlineData("vp-scaled-linear", 0.0292, 14.61)] // the published range of Stable Diffusion
    [InlineData("vp-linear", 0.01, 157.4)]
    [InlineData("vp-cosine", 0.00642, 20291)]
    public void Noises_have_their_published_ranges(string noise, double low, double high)
    {
        using var model = OnnxModel.Open(GaussianOnnx.Discrete(_noise, GaussianOnnx.V).Write(_folder.File("m.onnx")),
            new OnnxModelDescription { Prediction = OnnxPrediction.V, Noise = noise }, 1);
        Assert.InRange(model.Denoiser.SigmaMin / low, 0.99, 1.01);
        Assert.InRange(model.Denoiser.SigmaMax / high, 0.99, 1.01);
    }

    [Fact]
    public void A_sigma_between_two_levels_is_given_the_time_of_the_nearer_one()
    {
        double between = Math.Sqrt(_noise.Sigmas[499] * _noise.Sigmas[500]);
        Assert.Equal(499.5, _noise.Time(between, TimeRounding.Between), 9);
        Assert.Equal((499, 500), (_noise.NearestTime(between * 0.9999), _noise.NearestTime(between * 1.0001)));
        Assert.Equal((0, 999), (_noise.NearestTime(1e-9), _noise.NearestTime(1e9)));
        Assert.All(Enumerable.Range(0, 1000), t => Assert.Equal(t, _noise.NearestTime(_noise.Sigmas[t])));
    }

    [Fact]
    public void Labels_are_indices_with_a_label_for_no_class_or_one_hot_rows()
    {
        OnnxFile Labelled(params int?[] sizes) => new OnnxFile()
            .Input("x", OnnxFile.Float, null, 2, 3, 2)
            .Input("sigma", OnnxFile.Float, [null])
            .Input("class_labels", sizes.Length == 2 ? OnnxFile.Float : OnnxFile.Int64, sizes)
            .Output("denoised", null, 2, 3, 2)
            .Integers("column", [4], -1, 1, 1, 1);

        string index = Labelled([null]).Floats("table", [4], 0, 10, 20, 30).Node("Gather", "k", "table", "class_labels")
            .Node("Reshape", "c", "k", "column").Node("Add", "denoised", "x", "c").Write(_folder.File("index.onnx"));
        string oneHot = Labelled(null, 3).Floats("row", [3, 1], 0, 10, 20).Node("MatMul", "k", "class_labels", "row")
            .Node("Reshape", "c", "k", "column").Node("Add", "denoised", "x", "c").Write(_folder.File("hot.onnx"));
        var x = zeros(4, 2, 3, 2);
        var labels = tensor(new long[] { 2, -1, 0, 1 });
        using var indexed = OnnxModel.Open(index, new OnnxModelDescription { Classes = 3, UnconditionalLabel = 3 }, 1);
        Assert.Equal([20f, 30, 0, 10], indexed.Denoiser.Denoise(x, Level(1), labels)[TensorIndex.Colon, 0, 0, 0].data<float>().ToArray());
        Assert.Equal([30f, 30, 30, 30], indexed.Denoiser.Denoise(x, Level(1), null)[TensorIndex.Colon, 0, 0, 0].data<float>().ToArray());
        using var rows = OnnxModel.Open(oneHot, threads: 1);
        Assert.Equal((3, true), (rows.Denoiser.Classes, rows.Denoiser.KnowsNoClass));
        Assert.Equal([20f, 0, 0, 10], rows.Denoiser.Denoise(x, Level(1), labels)[TensorIndex.Colon, 0, 0, 0].data<float>().ToArray());

        using var knowsNone = OnnxModel.Open(index, new OnnxModelDescription { Classes = 3 }, 1);
        Assert.Contains("unconditional_label",
            Assert.Throws<InvalidInputException>(() => knowsNone.Denoiser.Denoise(x, Level(1), labels)).Message, StringComparison.Ordinal);
        Assert.Contains("say its classes", Assert.Throws<InvalidInputException>(() => OnnxModel.Open(index, threads: 1)).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_description_beside_the_file_is_read_and_changes_the_hash()
    {
        string path = GaussianOnnx.Discrete(_noise, GaussianOnnx.Epsilon).Write(_folder.File("m.onnx"));
        using var asked = OnnxModel.Open(path, new OnnxModelDescription { Prediction = OnnxPrediction.Epsilon, Noise = "vp-linear" }, 1);
        File.WriteAllText(path + ".json", """{ "name": "gauss", "prediction": "epsilon", "noise": "vp-linear" }""");
        using var beside = OnnxModel.Open(path, threads: 1);
        Assert.Equal((asked.Hash, "gauss"), (beside.Hash, beside.Name));
        using var other = OnnxModel.Open(path, new OnnxModelDescription { Noise = "vp-cosine" }, 1);
        Assert.NotEqual(asked.Hash, other.Hash);
        File.WriteAllText(path + ".json", """{ "predicton": "epsilon" }""");
        Assert.Contains("predicton", Assert.Throws<InvalidInputException>(() => OnnxModel.Open(path)).Message, StringComparison.Ordinal);
    }

    private static string Golden(string file) => Path.Combine(AppContext.BaseDirectory, "golden", "onnx", file);

    private static Tensor Level(double sigma) => tensor(new[] { sigma }, float32);

    private static Tensor Images(int count, ulong seed)
    {
        using var generator = new Generator(seed);
        return randn(GaussianOnnx.Shape.Batch(count), generator: generator);
    }

    private static double Error(Tensor actual, Tensor expected) => ((actual - expected).abs().max() / expected.abs().max()).item<float>();
}
