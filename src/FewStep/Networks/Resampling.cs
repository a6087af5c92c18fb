namespace FewStep.Networks;

/// <summary>Factor-2 resampling of feature maps with a separable filter, as in NVlabs/edm's <c>Conv2d</c>.</summary>
internal sealed class Resampling
{
    private readonly Dictionary<string, Tensor> _buffers;
    private readonly string _kernel;

    /// <param name="builder">Receives the buffer <c>resample_filter</c> [1,1,f,f].</param>
    /// <param name="filter">One-dimensional filter taps, e.g. [1,1] (box) or [1,3,3,1].</param>
    public Resampling(NetworkBuilder builder, IReadOnlyList<int> filter)
    {
        using var scope = NewDisposeScope();
        var taps = tensor(filter.Select(f => (float)f).ToArray());
        _buffers = builder.Buffers;
        _kernel = builder.Buffer("resample_filter", (outer(taps, taps) / taps.sum().Squared()).view(1, 1, filter.Count, filter.Count));
        IsBox = filter is [1, 1];
        Padding = (filter.Count - 1) / 2;
    }

    /// <summary>Whether the filter is [1,1]: going up repeats pixels, going down averages four.</summary>
    public bool IsBox { get; }

    public int Padding { get; }

    /// <summary>The filter [1,1,f,f], float32; owned by the network.</summary>
    public Tensor Kernel => _buffers[_kernel];

    // With the box filter both directions are plain kernels, several times faster than depthwise convolutions.
    public Tensor Up(Tensor x, int padding) => IsBox && padding == 0
        ? nn.functional.interpolate(x, scale_factor: [2, 2], mode: InterpolationMode.Nearest)
        : nn.functional.conv_transpose2d(x, Depthwise(x, 4), strides: [2, 2], padding: [padding, padding], groups: x.shape[1]);

    public Tensor Down(Tensor x, int padding) => IsBox && padding == 0
        ? nn.functional.avg_pool2d(x, 2)
        : nn.functional.conv2d(x, Depthwise(x, 1), strides: [2, 2], padding: [padding, padding], groups: x.shape[1]);

    private Tensor Depthwise(Tensor x, double gain) => Kernel.Times(gain).to(x.dtype).tile([x.shape[1], 1, 1, 1]);
}
