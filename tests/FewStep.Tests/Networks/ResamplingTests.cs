using FewStep.Networks;

namespace FewStep.Tests.Networks;

public sealed class ResamplingTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(16)]
    [InlineData(24)]
    public void Neither_results_nor_gradients_hold_what_lay_in_memory_before(int channels)
    {
        var resampling = new Resampling(new NetworkBuilder(), [1, 3, 3, 1]);
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            foreach (bool channelsLast in new[] { true, false })
            {
                foreach (var resample in new Func<Tensor, int, Tensor>[] { resampling.Up, resampling.Down })
                {
                    using var scope = NewDisposeScope();
                    var x = randn(4, channels, 8, 8);
                    x = (channelsLast ? x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : x).to(type).requires_grad_();
                    LeftMemory.FillWithNotANumbers();
                    var y = resample(x, resampling.Padding);
                    LeftMemory.FillWithNotANumbers();
                    var gradient = autograd.grad([y], [x], [ones_like(y)])[0];
                    Assert.True(y.isfinite().all().item<bool>(), $"{type}, channels last: {channelsLast}");
                    Assert.True(gradient.isfinite().all().item<bool>(), $"gradient of {type}, channels last: {channelsLast}");
                }
            }
        }
    }
}
