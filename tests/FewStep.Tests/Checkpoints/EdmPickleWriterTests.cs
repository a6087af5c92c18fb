using FewStep.Checkpoints;
using FewStep.Networks;

namespace FewStep.Tests.Checkpoints;

/// <summary>The tool that makes full-size checkpoints writes what the reader reads.</summary>
public sealed class EdmPickleWriterTests : FolderTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_is_written_is_read(bool half)
    {
        using var scope = NewDisposeScope();
        var options = new DhariwalUNetOptions
        {
            ImgResolution = 16,
            InChannels = 3,
            OutChannels = 3,
            LabelDim = 4,
            ModelChannels = 32,
            ChannelMult = [1, 2],
            NumBlocks = 1,
            AttnResolutions = [8]
        };
        string path = _folder.File("network.bin"); // the content tells, not the name
        long count = EdmPickleWriter.Write(path, options, seed: 1, half);
        using var source = ModelSource.Open(path);
        Assert.Equal(count, source.Denoiser.Layout.Count);
        var network = (DhariwalUNetOptions)source.Config.Network;
        Assert.Equal(options with { ChannelMult = network.ChannelMult, AttnResolutions = network.AttnResolutions }, network);
        Assert.Equal([1, 2], network.ChannelMult);
        Assert.Equal("edm", source.Config.Preconditioning.Kind);
        Tensor denoised = source.Denoiser.Denoise(randn(1, 3, 16, 16), tensor(new[] { 1f }), tensor(new long[] { 2 }));
        Assert.True(denoised.isfinite().all().item<bool>());

        // Another writer of the same numbers: the weights in their order, buffers left alone.
        var random = new Random(1);
        float first = (float)Math.Sqrt(3.0 / 32) * ((2 * random.NextSingle()) - 1);
        Assert.Equal(
            half ? (float)(Half)first : first, GuidedDiffusionTests.Named(source.Denoiser)["map_layer0.weight"][0, 0].item<float>());
        Assert.All(source.Denoiser.Buffers.Values, buffer => Assert.Equal([0.25f, 0.25f, 0.25f, 0.25f], buffer.data<float>().ToArray()));
    }
}
