using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Tests.Platform;
using FewStep.Tuning;
using TorchSharp;

namespace FewStep.Tests.Networks;

public sealed class BatchSharesTests
{
    private const int Batch = 50, Threads = 3;
    private static readonly ImageShape Shape = new(2, 8, 8);

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Shares_of_a_batch_give_what_the_batch_gives(bool sigmaEach, bool ownWeights)
    {
        float[] Outputs(int threads) => OnThread.WithTensorThreads(threads, () =>
        {
            using var scope = NewDisposeScope();
            using var noGradient = no_grad();
            using var model = Model(dropout: 0);
            var (x, sigma, labels) = Inputs();
            sigma = sigmaEach ? sigma : sigma[..1];
            return (ownWeights ? model.Denoise(x, sigma, labels) : model.Denoise(model.Weights * 0.9f, x, sigma, labels)).data<float>()
                .ToArray();
        });
        Near(Outputs(1), Outputs(Threads));
    }

    [Theory]
    [InlineData(ScalarType.Float32, 1e-5)]
    [InlineData(ScalarType.BFloat16, 2e-2)]
    public void Their_gradients_sum_to_the_batchs(ScalarType type, double tolerance)
    {
        float[] Gradient(int threads) => OnThread.WithTensorThreads(threads, () => GradientOf(type, dropout: 0));
        Near(Gradient(1), Gradient(Threads), tolerance);
    }

    [Fact]
    public void So_do_the_gradients_in_the_images()
    {
        float[] Gradient(int threads) => OnThread.WithTensorThreads(threads, () =>
        {
            using var scope = NewDisposeScope();
            using var model = Model(dropout: 0);
            var (x, sigma, labels) = Inputs();
            var (leaf, weights) = (x.requires_grad_(), model.Weights.detach().requires_grad_());
            model.Denoise(weights, leaf, sigma, labels).square().mean().backward();
            return leaf.grad!.data<float>().Concat(weights.grad!.data<float>()).ToArray();
        });
        Near(Gradient(1), Gradient(Threads));
    }

    [Theory]
    [InlineData(ScalarType.Float32, 1)]
    [InlineData(ScalarType.BFloat16, 1)]
    [InlineData(ScalarType.BFloat16, Threads)]
    public void A_gradient_that_is_there_already_is_added_to_in_place(ScalarType type, int threads) =>
        OnThread.WithTensorThreads(threads, () =>
        {
            using var scope = NewDisposeScope();
            using var model = Model(dropout: 0);
            model.ComputeType = type;
            var (x, sigma, labels) = Inputs();
            Tensor split = model.Weights.detach().requires_grad_(), inPlace = model.Weights.detach().requires_grad_();
            var gradient = zeros_like(split);
            inPlace.grad = gradient;
            foreach (var leaf in new[] { split, inPlace, split, inPlace })
                model.Denoise(leaf, x, sigma, labels).square().mean().backward();
            Near(split.grad!.data<float>().ToArray(), gradient.data<float>().ToArray(), 1e-6);
            return true;
        });

    [Fact]
    public void The_same_number_of_threads_gives_the_same_bits()
    {
        float[] Gradient() => OnThread.WithTensorThreads(Threads, () => GradientOf(ScalarType.BFloat16, dropout: 0));
        Assert.Equal(Gradient(), Gradient());
    }

    [Fact]
    public void Dropouts_masks_do_not_depend_on_the_number_of_threads()
    {
        float[] Gradient(int threads) => OnThread.WithTensorThreads(threads, () => GradientOf(ScalarType.Float32, dropout: 0.3));
        Near(Gradient(1), Gradient(Threads), 1e-5);
    }

    [Theory]
    [InlineData(ScalarType.BFloat16, 1, "1 1 1 1 1 1")]
    [InlineData(ScalarType.BFloat16, Threads, "1 1 2 3 3 3")]
    [InlineData(ScalarType.Float32, Threads, "1 1 1 1 2 3")]
    public void A_share_has_images_enough(ScalarType type, int threads, string counts)
    {
        var found = OnThread.WithTensorThreads(threads, () => new[] { 1, 7, 8, 12, 32, 100 }.Select(batch =>
        {
            using var x = zeros(Shape.Batch(batch));
            return new BatchShares(x, x, null, type).Count;
        }).ToArray());
        Assert.Equal(counts, string.Join(' ', found));
    }

    [Fact]
    public void Networks_whose_gradients_would_fill_the_memory_are_not_shared()
    {
        using var x = zeros(Shape.Batch(Batch));
        OnThread.WithTensorThreads(Threads, () =>
        {
            var shares = new BatchShares(x, x, null, ScalarType.Float32);
            Assert.True(shares.HasRoomForGradients(7_000_000));
            Assert.False(shares.HasRoomForGradients(296_000_000));
            return 0;
        });
    }

    [Fact]
    public void No_tensor_outlives_an_update()
    {
        OnThread.WithTensorThreads(Threads, () =>
        {
            using var model = Model(dropout: 0);
            Update();
            long before = DisposeScopeManager.Statistics.ThreadTotalLiveCount;
            for (int i = 0; i < 3; i++)
                Update();
            Assert.InRange(DisposeScopeManager.Statistics.ThreadTotalLiveCount, long.MinValue, before);
            return 0;

            void Update()
            {
                using var scope = NewDisposeScope();
                var (x, sigma, labels) = Inputs();
                var leaf = model.Weights.detach().requires_grad_();
                model.Denoise(leaf, x, sigma, labels).square().mean().backward();
                using var noGradient = no_grad();
                model.Denoise(x, sigma, labels);
            }
        });
    }

    private static float[] GradientOf(ScalarType type, double dropout)
    {
        using var scope = NewDisposeScope();
        using var model = Model(dropout);
        model.ComputeType = type;
        using var generator = new Generator(3);
        var leaf = model.Weights.detach().requires_grad_();
        var (x, _, labels) = Inputs();
        new EdmLoss().Compute(model, leaf, x, labels, generator).backward();
        return leaf.grad!.data<float>().ToArray();
    }

    private static (Tensor X, Tensor Sigma, Tensor Labels) Inputs()
    {
        using var generator = new Generator(2);
        return (randn(Shape.Batch(Batch), generator: generator), rand([Batch], generator: generator) + 0.1,
            arange(Batch, dtype: ScalarType.Int64).remainder(4) - 1);
    }

    // Weights at random throughout, for some layers begin as zeros.
    private static NetworkDenoiser Model(double dropout)
    {
        var network = new SongUNet(new SongUNetOptions
        {
            ImgResolution = 8,
            InChannels = 2,
            OutChannels = 2,
            LabelDim = 3,
            ModelChannels = 16,
            ChannelMult = [1, 2],
            NumBlocks = 1,
            AttnResolutions = [4],
            Dropout = dropout
        });
        using var generator = new Generator(1);
        return new NetworkDenoiser(network, new EdmPreconditioning(), Shape, 3,
            network.Layout.Initialize(1) + (randn([network.Layout.Count], generator: generator) * 0.05));
    }

    private static void Near(float[] expected, float[] actual, double tolerance = 1e-5)
    {
        double scale = expected.Max(Math.Abs);
        Assert.InRange(expected.Zip(actual, (a, b) => Math.Abs(a - b)).Max(), 0, tolerance * scale);
        Assert.NotEqual(0, scale);
    }
}
