using FewStep.Networks;

namespace FewStep.Tests.Networks;

public sealed class ChannelPaddedConvolutionTests
{
    [Theory]
    [InlineData(1, 8, 3)]
    [InlineData(8, 8, 3)]
    [InlineData(24, 8, 3)]
    [InlineData(64, 12, 3)]
    [InlineData(12, 64, 3)]
    [InlineData(16, 1, 3)]
    [InlineData(64, 3, 3)]
    [InlineData(24, 8, 1)]
    [InlineData(16, 48, 1)]
    public void Neither_results_nor_gradients_hold_what_lay_in_memory_before(int input, int output, int kernel)
    {
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            foreach (bool channelsLast in new[] { true, false })
            {
                using var scope = NewDisposeScope();
                Tensor Ordered(Tensor t)
                    => (channelsLast ? t.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : t).to(type).requires_grad_();
                var (x, weight, bias) = (Ordered(randn(4, input, 8, 8)), Ordered(randn(output, input, kernel, kernel)),
                    randn(output).to(type).requires_grad_());
                LeftMemory.FillWithNotANumbers();
                var y = ChannelPaddedConvolution.Apply(x, weight, bias, padding: kernel / 2);
                Assert.Equal([4, output, 8, 8], y.shape);
                var gradients = autograd.grad([y], [x, weight, bias], [ones_like(y)]);
                Assert.All(
                    gradients.Prepend(y), t => Assert.True(t.isfinite().all().item<bool>(), $"{type}, channels last: {channelsLast}"));
            }
        }
    }

    [Theory]
    [InlineData(5, 7, 1, 0)]
    [InlineData(5, 7, 2, 1)]
    [InlineData(16, 3, 1, 1)]
    [InlineData(3, 32, 2, 0)]
    public void It_is_the_convolution_of_its_definition(int input, int output, int stride, int padding)
    {
        using var scope = NewDisposeScope();
        var (x, weight, bias) = (randn(2, input, 6, 8), randn(output, input, 3, 3), randn(output));
        var columns = nn.functional.unfold(x, 3, padding: padding, stride: stride); // [B, in 9, positions]
        var expected = weight.reshape(output, -1).matmul(columns) + bias.unsqueeze(1);
        var y = ChannelPaddedConvolution.Apply(x, weight, bias, stride, padding);
        Assert.True(y.flatten(2).allclose(expected, 1e-4, 1e-4));
    }
}
