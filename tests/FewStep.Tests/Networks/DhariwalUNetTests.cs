using FewStep.Denoising;
using FewStep.Networks;

namespace FewStep.Tests.Networks;

public sealed class DhariwalUNetTests
{
    private static readonly DhariwalUNetOptions Options = new()
    {
        ImgResolution = 16,
        InChannels = 3,
        OutChannels = 6,
        LabelDim = 5,
        AugmentDim = 9,
        ModelChannels = 32,
        ChannelMult = [1, 2],
        NumBlocks = 1,
        AttnResolutions = [8],
    };

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void A_fresh_network_returns_the_skip_path_on_images_that_are_not_square(ScalarType computeType)
    {
        // The last convolution begins with zeros, so D(x; s) = c_skip x exactly, the six outputs cut to three channels.
        using var scope = NewDisposeScope();
        using NetworkDenoiser denoiser = Denoiser(seed: 4);
        denoiser.ComputeType = computeType;
        using var generator = new Generator(1);
        Tensor x = randn([2, 3, 8, 24], generator: generator);
        Tensor sigma = tensor(new[] { 0.5f, 2f });
        Tensor expected = x * denoiser.Preconditioning.Coefficients(sigma).Skip.view(-1, 1, 1, 1);
        Assert.Equal(expected.data<float>().ToArray(), denoiser.Denoise(x, sigma, tensor(new long[] { 0, -1 })).data<float>().ToArray());
    }

    [Fact]
    public void Labels_sigma_and_every_used_weight_matter()
    {
        using var scope = NewDisposeScope();
        using NetworkDenoiser denoiser = Denoiser(seed: 4);
        using var generator = new Generator(1);

        // Zero-initialised layers would hide others: random weights everywhere.
        Tensor weights = (randn([denoiser.Layout.Count], generator: generator) * 0.05).requires_grad_();
        Tensor x = randn([2, 3, 16, 16], generator: generator), sigma = tensor(new[] { 0.7f });
        Tensor one = denoiser.Denoise(weights, x, sigma, tensor(new long[] { 1, 1 }));
        Tensor two = denoiser.Denoise(weights, x, sigma, tensor(new long[] { 1, -1 }));
        Assert.True(one[0].allclose(two[0], atol: 1e-5));
        Assert.False(one[1].allclose(two[1], atol: 1e-5));
        one.square().sum().backward();
        Tensor[] gradients = denoiser.Layout.Views(weights.grad!);
        string[] unused =
            [.. denoiser.Layout.Specs.Zip(gradients).Where(p => p.Second.abs().max().item<float>() == 0).Select(p => p.First.Name)];
        Assert.Equal(["map_augment.weight"], unused);
    }

    [Fact]
    public void The_default_is_the_network_of_296_million_weights()
    {
        // EDM's released ImageNet-64 network has 295.9 million parameters (its paper's architecture table).
        using var network = new DhariwalUNet(
            new DhariwalUNetOptions { ImgResolution = 64, InChannels = 3, OutChannels = 3, LabelDim = 1000 });
        Assert.Equal(295.9, network.Layout.Count / 1e6, 1);
    }

    [Fact]
    public void All_wrong_options_are_named_in_one_message()
    {
        Refused.With("num_blocks 0 is not in 1..64; dropout 1", () => (Options with { NumBlocks = 0, Dropout = 1 }).Checked());
        Refused.With("model_channels 30", () => (Options with { ModelChannels = 30 }).Checked());
    }

    private static NetworkDenoiser Denoiser(long seed)
    {
        var network = new DhariwalUNet(Options);
        return new NetworkDenoiser(network, new EdmPreconditioning(), new ImageShape(3, 16, 16), 5, network.Layout.Initialize(seed));
    }
}
