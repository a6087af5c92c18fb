using FewStep.Networks;
using FewStep.Tests.Platform;

namespace FewStep.Tests.Networks;

public sealed class PointwiseConvolutionTests
{
    [Theory]
    [InlineData(64, 80, 1)]
    [InlineData(64, 80, 2)]
    [InlineData(5, 48, 3)]
    [InlineData(128, 1, 2)]
    public void It_is_the_convolution_of_its_definition_on_every_number_of_threads(int input, int output, int threads)
    {
        foreach (bool channelsLast in new[] { true, false })
        {
            OnThread.WithTensorThreads(threads, () =>
            {
                using var scope = NewDisposeScope();
                var x = channelsLast ? randn(2, 16, 9, input).permute(0, 3, 1, 2) : randn(2, input, 16, 9);
                var (weight, bias) = (randn(output, input, 1, 1), randn(output));
                Assert.True(PointwiseConvolution.Suits(x, weight, stride: 1));
                var expected = einsum("bchw,oc->bohw", x.to(ScalarType.Float64), weight.flatten(1).to(ScalarType.Float64))
                    + bias.view(-1, 1, 1);
                foreach (var y in new[] { PointwiseConvolution.Apply(x, weight, bias), ChannelPaddedConvolution.Apply(x, weight, bias) })
                    Assert.True(y.to(ScalarType.Float64).allclose(expected, 1e-4, 1e-4));
                return 0;
            });
        }
    }

    [Fact]
    public void Larger_kernels_strides_and_other_types_are_none_of_these()
    {
        using var scope = NewDisposeScope();
        var (x, point, square) = (zeros(1, 4, 3, 3), zeros(2, 4, 1, 1), zeros(2, 4, 3, 3));
        Assert.False(PointwiseConvolution.Suits(x, square, stride: 1));
        Assert.False(PointwiseConvolution.Suits(x, point, stride: 2));
        Assert.False(PointwiseConvolution.Suits(x.to(ScalarType.BFloat16), point.to(ScalarType.BFloat16), stride: 1));
    }
}
