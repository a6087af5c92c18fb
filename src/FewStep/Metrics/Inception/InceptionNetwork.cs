using FewStep.Networks;
using F = TorchSharp.torch.nn.functional;

namespace FewStep.Metrics;

/// <summary>The Inception-v3 that FID is defined on, as a function of its weights: average pools leave the padding out of their count, and
/// the pool of the last block is a maximum.</summary>
/// <remarks>
/// Both are properties of the TensorFlow graph that Heusel et al. (2017) used, the second probably a slip in it. Each batch normalisation
/// is folded into its convolution in float64. Activations lie channels-last in memory, which is nearly twice as fast on a CPU.
/// </remarks>
internal sealed class InceptionNetwork : IDisposable
{
    private readonly Dictionary<string, (InceptionConvolution Layout, Tensor Weight, Tensor Bias)> _layers = new(StringComparer.Ordinal);
    private Tensor _head; // [classes, features]

    /// <param name="layers">Weight [out,in,h,w] and bias [out] of each convolution of <see cref="InceptionLayout.All"/>, in its order,
    /// float32; owned here from now on.</param>
    /// <param name="head">Weight of the classifier [classes, features], float32; owned here from now on.</param>
    public InceptionNetwork(IReadOnlyList<(Tensor Weight, Tensor Bias)> layers, Tensor head)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        _head = head.DetachFromDisposeScope();
        foreach (var (layout, (weight, bias)) in InceptionLayout.All.Zip(layers))
        {
            _layers.Add(layout.Name, (layout, ChannelsLast(weight).DetachFromDisposeScope(), bias.DetachFromDisposeScope()));
            weight.Dispose();
        }
    }

    public void MoveTo(Device device)
    {
        foreach (var (name, (layout, weight, bias)) in _layers.ToList())
            _layers[name] = (layout, Moved(weight, device), Moved(bias, device));
        _head = Moved(_head, device);
    }

    /// <param name="x">[B,3,299,299], float32, scaled as the weights want it; not changed and not disposed.</param>
    /// <returns>[B,2048], float32; the caller owns it.</returns>
    public Tensor Features(Tensor x)
    {
        using var scope = NewDisposeScope();
        return BlockMeans(x)[^1].MoveToOuterDisposeScope();
    }

    /// <summary>Class scores without the classifier's bias, as the original Inception score has them.</summary>
    /// <param name="features">[B,2048]; not changed and not disposed.</param>
    /// <returns>[B,1008]; the caller owns it.</returns>
    public Tensor Logits(Tensor features) => F.linear(features, _head);

    /// <summary>The spatial means of the four blocks that pytorch-fid offers (64, 192, 768 and 2048 channels).</summary>
    /// <param name="x">[B,3,299,299], float32; not changed and not disposed.</param>
    /// <returns>[B,channels] each; the caller owns them.</returns>
    public IReadOnlyList<Tensor> BlockMeans(Tensor x)
    {
        using var noGradients = no_grad();
        var means = new List<Tensor>();
        var y = ChannelsLast(x);
        Run("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3");
        Pool();
        Run("Conv2d_3b_1x1", "Conv2d_4a_3x3");
        Pool();
        Step(a => BlockA("Mixed_5b", a));
        Step(a => BlockA("Mixed_5c", a));
        Step(a => BlockA("Mixed_5d", a));
        Step(BlockB);
        Step(a => BlockC("Mixed_6b", a));
        Step(a => BlockC("Mixed_6c", a));
        Step(a => BlockC("Mixed_6d", a));
        Step(a => BlockC("Mixed_6e", a));
        means.Add(y.mean([2, 3]));
        Step(BlockD);
        Step(a => BlockE("Mixed_7b", a, maximum: false));
        Step(a => BlockE("Mixed_7c", a, maximum: true));
        means.Add(y.mean([2, 3]));
        y.Dispose();
        return means;

        void Run(params ReadOnlySpan<string> names)
        {
            foreach (string name in names)
                Step(a => Convolve(name, a));
        }

        void Pool()
        {
            Step(a => F.max_pool2d(a, 3, 2));
            means.Add(y.mean([2, 3]));
        }

        // Activations of a batch are large: each is gone as soon as the next is there.
        void Step(Func<Tensor, Tensor> layer)
        {
            using var scope = NewDisposeScope();
            var next = layer(y);
            y.Dispose();
            y = next.MoveToOuterDisposeScope();
        }
    }

    public void Dispose()
    {
        foreach (var (_, weight, bias) in _layers.Values)
        {
            weight.Dispose();
            bias.Dispose();
        }

        _head.Dispose();
    }

    private static Tensor Moved(Tensor weight, Device device)
    {
        var moved = weight.to(device);
        if (!ReferenceEquals(moved, weight))
            weight.Dispose();
        return moved.DetachFromDisposeScope();
    }

    private static Tensor ChannelsLast(Tensor x)
    {
        using var scope = NewDisposeScope();
        return x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2).MoveToOuterDisposeScope();
    }

    private Tensor Convolve(string name, Tensor x)
    {
        var (layout, weight, bias) = _layers[name];
        var y = PointwiseConvolution.Suits(x, weight, layout.Stride) ? PointwiseConvolution.Apply(x, weight, bias)
            : F.conv2d(x, weight, bias, strides: layout.Strides, padding: layout.Padding);
        y.relu_();
        return y;
    }

    private Tensor Chain(string block, Tensor x, params ReadOnlySpan<string> branches)
    {
        foreach (string branch in branches)
            x = Convolve($"{block}.{branch}", x);
        return x;
    }

    private Tensor AveragePooled(string block, Tensor x)
        => Chain(block, F.avg_pool2d(x, [3, 3], [1, 1], [1, 1], count_include_pad: false), "branch_pool");

    private Tensor BlockA(string block, Tensor x) => cat(
        [
            Chain(block, x, "branch1x1"),
            Chain(block, x, "branch5x5_1", "branch5x5_2"),
            Chain(block, x, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"),
            AveragePooled(block, x),
        ],
        1);

    private Tensor BlockB(Tensor x) => cat([Chain("Mixed_6a", x, "branch3x3"),
        Chain("Mixed_6a", x, "branch3x3dbl_1", "branch3x3dbl_2", "branch3x3dbl_3"), F.max_pool2d(x, 3, 2)], 1);

    private Tensor BlockC(string block, Tensor x) => cat(
        [
            Chain(block, x, "branch1x1"),
            Chain(block, x, "branch7x7_1", "branch7x7_2", "branch7x7_3"),
            Chain(block, x, "branch7x7dbl_1", "branch7x7dbl_2", "branch7x7dbl_3", "branch7x7dbl_4", "branch7x7dbl_5"),
            AveragePooled(block, x),
        ],
        1);

    private Tensor BlockD(Tensor x) => cat(
        [
            Chain("Mixed_7a", x, "branch3x3_1", "branch3x3_2"),
            Chain("Mixed_7a", x, "branch7x7x3_1", "branch7x7x3_2", "branch7x7x3_3", "branch7x7x3_4"),
            F.max_pool2d(x, 3, 2),
        ],
        1);

    private Tensor BlockE(string block, Tensor x, bool maximum)
    {
        var single = Chain(block, x, "branch3x3_1");
        var twice = Chain(block, x, "branch3x3dbl_1", "branch3x3dbl_2");
        return cat(
            [
                Chain(block, x, "branch1x1"),
                Chain(block, single, "branch3x3_2a"),
                Chain(block, single, "branch3x3_2b"),
                Chain(block, twice, "branch3x3dbl_3a"),
                Chain(block, twice, "branch3x3dbl_3b"),
                maximum ? Chain(block, F.max_pool2d(x, 3, 1, 1), "branch_pool") : AveragePooled(block, x),
            ],
            1);
    }
}
