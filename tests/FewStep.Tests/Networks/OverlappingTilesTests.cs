using FewStep.Checkpoints;
using FewStep.Networks;

namespace FewStep.Tests.Networks;

public sealed class OverlappingTilesTests
{
    [Theory]
    [InlineData(10, 8, 2)]
    [InlineData(21, 33, 3)]
    [InlineData(8, 9, 7)]
    public void What_looks_at_one_pixel_is_the_same_in_tiles(long height, long width, int overlap)
    {
        using var scope = NewDisposeScope();
        Tensor x = randn(1, 2, height, width);
        var sides = new List<long>();
        var doubled = new OverlappingTiles(8, overlap).Apply(x, 1, 2, tile =>
        {
            sides.AddRange(tile.shape[2..]);
            return nn.functional.interpolate(tile, scale_factor: [2, 2], mode: InterpolationMode.Nearest);
        });
        GoldenPipelines.Agrees(nn.functional.interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Nearest), doubled, 1e-6);
        Assert.True(sides.Count > 2);
        Assert.All(sides, side => Assert.InRange(side, 1, 8));
        var halved = new OverlappingTiles(8, overlap).Apply(doubled, 2, 1, tile => nn.functional.avg_pool2d(tile, 2));
        GoldenPipelines.Agrees(x, halved, 1e-6);
    }

    [Fact]
    public void A_smooth_image_is_almost_the_same_when_an_autoencoder_takes_it_in_tiles()
    {
        using var scope = NewDisposeScope();
        var options = AutoencoderConfig.Read(GoldenPipelines.At("sd15-tiny", "vae", "config.json"));
        using var tensors = SafetensorsFile.Read(GoldenPipelines.At("sd15-tiny", "vae", "diffusion_pytorch_model.safetensors")).Tensors;
        Autoencoder Create(OverlappingTiles? tiles)
        {
            var network = new AutoencoderKl(options);
            return new Autoencoder(options, network, network.Layout.Flatten(spec => tensors[spec.Name]), tiles);
        }

        using Autoencoder whole = Create(null), tiled = Create(new OverlappingTiles(24, 8));
        Tensor latents = ones(1, 4, 40, 24);
        Tensor expected = whole.Decode(latents), actual = tiled.Decode(latents);
        Assert.Equal([1, 3, 80, 48], actual.shape);
        // Inside, where no edge of image or tile is near, a constant stays one; each tile has statistics of its own.
        GoldenPipelines.Agrees(expected, actual, 0.2);
    }
}
