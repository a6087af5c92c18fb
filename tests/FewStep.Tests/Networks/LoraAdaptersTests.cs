using FewStep.Checkpoints;
using FewStep.Networks;
using FewStep.Tests.Platform;
using FewStep.Tests.Tuning;
using TorchSharp;
using static FewStep.Tests.GoldenPipelines;

namespace FewStep.Tests.Networks;

public sealed class LoraAdaptersTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public static TheoryData<string, string> Models => new()
    {
        { "sd15-tiny", LoraLayerNames.Usual },
        { "sd15-tiny", "all" },
        { "sd15-tiny", "convolutions" },
        { "dit-tiny", LoraLayerNames.Usual },
        { "sd35-tiny", LoraLayerNames.Usual },
        { "flux-tiny", "feed-forward" },
    };

    public void Dispose() => _scope.Dispose();

    [Theory]
    [MemberData(nameof(Models))]
    public void A_network_with_adapters_is_the_network_of_the_fused_weights(string name, string layers)
    {
        using var source = Open(name);
        var model = source.Denoiser;
        var adapters = new LoraAdapters(model.Layout, rank: 3, alpha: 2, LoraLayerNames.Parse(layers));
        var trained = Trained(adapters.Layout);
        var (x, sigma, labels) = Inputs(model, 2);
        using var noGradient = no_grad();
        Tensor fused = adapters.Fuse(model.Weights, trained), actual = new Trainable(model, adapters).Denoise(trained, x, sigma, labels);
        Agrees(model.Denoise(fused, x, sigma, labels), actual, OfOneCall);
        Assert.True(Difference(model.Denoise(x, sigma, labels), actual) > 1e-3);

        // At first they change nothing.
        var plain = new Trainable(model, adapters);
        Assert.Equal(model.Denoise(x, sigma, labels), plain.Denoise(plain.Begin(1), x, sigma, labels));
        Assert.Equal(model.Weights, plain.Weights(plain.Begin(1)));
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void Gradients_follow_from_the_fused_weights_and_are_the_same_where_blocks_are_computed_again(string name, string layers)
    {
        using var source = Open(name);
        var model = source.Denoiser;
        var adapters = new LoraAdapters(model.Layout, rank: 3, alpha: 2, LoraLayerNames.Parse(layers));
        var (x, sigma, labels) = Inputs(model, 2);
        var trained = Trained(adapters.Layout);
        (Tensor Vector, Tensor Images) Gradient(LoraAdapters? adapters, Tensor vector, bool again)
        {
            var (leaf, images) = (vector.detach().clone().requires_grad_(), x.detach().clone().requires_grad_());
            new Trainable(model, adapters, again).Denoise(leaf, images, sigma, labels).square().mean().backward();
            return (leaf.grad!, images.grad!);
        }

        var kept = Gradient(adapters, trained, again: false);
        Same(kept, Gradient(adapters, trained, again: true));
        Same(Gradient(null, model.Weights, again: false), Gradient(null, model.Weights, again: true));
        Assert.False(model.Weights.requires_grad);
        // The chain rule, from the gradient in the fused weights.
        var full = model.Layout.Views(Gradient(null, adapters.Fuse(model.Weights, trained), again: false).Vector);
        Tensor[] numbers = adapters.Layout.Views(trained), gradients = adapters.Layout.Views(kept.Vector);
        foreach (var layer in adapters.Layers)
        {
            var matrix = full[layer.Index].flatten(1) * adapters.Scale;
            if (matrix.abs().max().Number() == 0)
                continue; // the last block of SD3 asks nothing for the text
            Agrees(matrix.mm(numbers[layer.Down].flatten(1).t()), gradients[layer.Up].flatten(1), 1e-3);
            Agrees(numbers[layer.Up].flatten(1).t().mm(matrix), gradients[layer.Down].flatten(1), 1e-3);
        }
    }

    [Theory]
    [InlineData("dit-tiny", LoraLayerNames.Usual, ScalarType.Float32, 32, 1e-5)]
    [InlineData("dit-tiny", LoraLayerNames.Usual, ScalarType.BFloat16, 8, 2e-2)]
    [InlineData("sd15-tiny", "all", ScalarType.BFloat16, 4, 2e-2)]
    public void Shares_of_a_batch_sum_to_its_gradient_again_or_kept(
        string name, string layers, ScalarType type, int batch, double tolerance)
    {
        Tensor Gradient(int threads, bool again) => OnThread.WithTensorThreads(threads, () =>
        {
            using var scope = NewDisposeScope();
            using var source = Open(name);
            source.Denoiser.ComputeType = type;
            var adapters = new LoraAdapters(source.Denoiser.Layout, rank: 3, alpha: 2, LoraLayerNames.Parse(layers));
            var (x, sigma, labels) = Inputs(source.Denoiser, batch);
            var leaf = Trained(adapters.Layout).requires_grad_();
            new Trainable(source.Denoiser, adapters, again).Denoise(leaf, x, sigma, labels).square().mean().backward();
            return leaf.grad!.MoveToOuterDisposeScope();
        });
        var one = Gradient(1, again: false);
        Agrees(one, Gradient(2, again: false), tolerance);
        Agrees(one, Gradient(2, again: true), tolerance);
    }

    [Fact]
    public void Networks_without_such_layers_are_refused()
    {
        using var model = TinyModel.Create();
        Refused.With("no attention or feed-forward layers", () => _ = new LoraAdapters(model.Layout, 4, 4));
        using var transformer = Open("dit-tiny");
        Refused.With("no convolutions,time-projections that a LoRA adapts",
            () => _ = new LoraAdapters(transformer.Denoiser.Layout, 4, 4, LoraLayers.All));
    }

    // What a block hands back to several before it is summed in another order.
    private static void Same((Tensor Vector, Tensor Images) expected, (Tensor Vector, Tensor Images) actual)
    {
        Agrees(expected.Vector, actual.Vector, 1e-5);
        Agrees(expected.Images, actual.Images, 1e-5);
    }

    private static ModelSource Open(string name)
    {
        if (name == "sd15-tiny")
        {
            var unet = ConditionUNetFolder.Read(GoldenPipelines.Latents(name));
            unet.Denoiser.Conditions = TableConditions.OfGoldenPrompts();
            return unet;
        }

        var source = ModelSource.Open(At(name));
        if (name != "dit-tiny")
            source.Denoiser.Conditions = TableConditions.Random(2, 40, 24);
        return source;
    }

    private static Tensor Trained(ParameterLayout layout, long seed = 7)
    {
        using var generator = new Generator((ulong)seed);
        return layout.Initialize(seed) + (randn([layout.Count], generator: generator) * 0.1);
    }

    private static (Tensor X, Tensor Sigma, Tensor Labels) Inputs(NetworkDenoiser model, int batch)
    {
        using var generator = new Generator(4);
        return (randn([batch, model.Shape.Channels, 16, 16], generator: generator) * 2, ones(batch) * 1.5,
            tensor([.. Enumerable.Range(0, batch).Select(i => (long)(i % 3) - 1)]));
    }
}
