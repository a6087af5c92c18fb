using FewStep.Networks;

namespace FewStep.Onnx.Writing;

/// <summary>A feature map [B,C,H,W] in a graph: the value's name, channels, and height and width where they are fixed.</summary>
internal readonly record struct Features(string Name, long Channels, long Height = Features.Varies, long Width = Features.Varies)
{
    /// <summary>In place of a side that every call may choose.</summary>
    public const long Varies = -1;
}

/// <summary>Writes the modules that networks are made of as nodes of ONNX, a method a kind: a network walks its own.</summary>
/// <param name="weights">Flat float32 weights in the layout.</param>
/// <param name="prefix">Put before the names of the weights.</param>
internal abstract class ModuleWriter(OnnxNodes nodes, ParameterLayout layout, Tensor weights, string prefix = "")
{
    protected OnnxNodes Nodes => nodes;
    protected ParameterLayout Layout => layout;

    /// <summary>Views of the weights in the layout's order.</summary>
    protected Tensor[] Weights { get; } = layout.Views(weights);

    protected string Name(int index) => prefix + layout.Specs[index].Name;
    protected string Weight(int index) => Nodes.Weight(Name(index), () => Weights[index]);
    protected Features Silu(Features x) => x with { Name = Nodes.Silu(x.Name) };
    protected Features Sum(Features a, Features b) => a with { Name = Nodes.Plus(a.Name, b.Name) };

    /// <summary>A value of as many numbers in the shape of a feature map.</summary>
    protected string Shaped(string x, Features like) => like.Height == Features.Varies
        ? Nodes.Op("Reshape", [x, Nodes.Op("Shape", [like.Name])]) : Nodes.Reshape(x, 0, like.Channels, like.Height, like.Width);

    /// <summary>Sines and cosines of numbers [B]: [B,channels].</summary>
    protected string Waves(NoiseEmbedding embedding, string numbers, bool sinesFirst = false)
    {
        string frequencies;
        using (NewDisposeScope())
        {
            double[] factors = embedding.Frequencies(CPU).to(ScalarType.Float64).data<double>().ToArray();
            frequencies = Nodes.Floats(factors, 1, factors.Length);
        }

        string angles = Nodes.Times(Nodes.Reshape(numbers, -1, 1), frequencies);
        string cosines = Nodes.Op("Cos", [angles]), sines = Nodes.Op("Sin", [angles]);
        return sinesFirst ? Nodes.Concat(1, sines, cosines) : Nodes.Concat(1, cosines, sines);
    }

    /// <summary>A linear layer of embeddings [B,in].</summary>
    protected string Linear(Linear layer, string x)
        => Nodes.Op("Gemm", [x, Weight(layer.Weight), .. layer.Bias is int bias ? new[] { Weight(bias) } : []], OnnxNodes.Of("transB", 1));

    protected string Embedded(EmbeddingLayers layers, string x) => Linear(layers.Second, Nodes.Silu(Linear(layers.First, x)));

    // Groups are instances whose channels are one: ONNX has no group normalisation before opset 18, and one that differs from 18 to 21.
    protected Features Normalised(GroupNorm norm, Features x)
    {
        string Each(double value) => Nodes.Floats([.. Enumerable.Repeat(value, (int)norm.Groups)], norm.Groups);
        string groups = Nodes.Op("InstanceNormalization", [Nodes.Reshape(x.Name, 0, norm.Groups, -1), Each(1), Each(0)],
            OnnxNodes.Of("epsilon", norm.Epsilon));
        string Channels(int index) => Nodes.Weight(Name(index), () => Weights[index].view(-1, 1, 1));
        string scaled = Nodes.Times(Shaped(groups, x), Channels(norm.Weight));
        return x with { Name = Nodes.Plus(scaled, Channels(norm.Bias)) };
    }

    // As Conv2d evaluates it.
    protected Features Convolution(Conv2d layer, Features x)
    {
        int pad = layer.Kernel / 2;
        if (layer is { IsFused: true, Up: { } fusedUp })
        {
            x = Up(fusedUp, x, Math.Max(fusedUp.Padding - pad, 0));
            return Convolved(layer, x, Math.Max(pad - fusedUp.Padding, 0));
        }

        if (layer is { IsFused: true, Down: { } fusedDown })
            return Down(fusedDown, Convolved(layer, x, pad + fusedDown.Padding), 0);
        if (layer is { Kernel: 1, Up: { IsBox: true } box })
            return Up(box, Convolved(layer, x, 0), 0);
        x = layer.Up is { } up ? Up(up, x, up.Padding) : x;
        x = layer.Down is { } down ? Down(down, x, down.Padding) : x;
        return layer.Weight is null ? x : Convolved(layer, x, pad);
    }

    private Features Convolved(Conv2d layer, Features x, long pad) => Convolved(
        x, [Weight(layer.Weight!.Value), Weight(layer.Bias!.Value)], layer.OutChannels, layer.Kernel, 1, [pad, pad, pad, pad]);

    protected Features Strided(StridedConv2d layer, Features x)
        => Convolved(x, [Weight(layer.Weight), Weight(layer.Bias)], x.Channels, 3, 2, layer.IsSymmetric ? [1, 1, 1, 1] : [0, 0, 1, 1]);

    protected Features Convolved(
        Features x, string[] weights, long channels, long kernel, long stride, long[] pads, long groups = 1)
    {
        string convolved = Nodes.Op("Conv", [x.Name, .. weights], OnnxNodes.Of("kernel_shape", [kernel, kernel]),
            OnnxNodes.Of("strides", [stride, stride]), OnnxNodes.Of("pads", pads), OnnxNodes.Of("group", groups));
        long Size(long size, int side) => size == Features.Varies ? size : ((size + pads[side] + pads[side + 2] - kernel) / stride) + 1;
        return new(convolved, channels, Size(x.Height, 0), Size(x.Width, 1));
    }

    /// <summary>Each pixel four times.</summary>
    protected Features Doubled(Features x)
    {
        string larger = Nodes.Op("Resize", [x.Name, "", Nodes.Floats([1, 1, 2, 2], 4)], OnnxNodes.Of("mode", "nearest"),
            OnnxNodes.Of("coordinate_transformation_mode", "asymmetric"), OnnxNodes.Of("nearest_mode", "floor"));
        return new(larger, x.Channels, Twice(x.Height), Twice(x.Width));

        static long Twice(long size) => size == Features.Varies ? size : size * 2;
    }

    /// <summary>The average of each four pixels.</summary>
    protected Features Halved(Features x)
    {
        string smaller = Nodes.Op("AveragePool", [x.Name], OnnxNodes.Of("kernel_shape", [2, 2]), OnnxNodes.Of("strides", [2, 2]));
        return new(smaller, x.Channels, x.Height / 2, x.Width / 2);
    }

    private Features Up(Resampling resampling, Features x, long pad)
    {
        if (resampling.IsBox && pad == 0)
            return Doubled(x);
        long taps = resampling.Kernel.shape[^1];
        string grown = Nodes.Op("ConvTranspose", [x.Name, Depthwise(resampling, "up", x.Channels, 4)],
            OnnxNodes.Of("kernel_shape", [taps, taps]), OnnxNodes.Of("strides", [2, 2]), OnnxNodes.Of("pads", [pad, pad, pad, pad]),
            OnnxNodes.Of("group", x.Channels));
        long Size(long size) => ((size - 1) * 2) - (2 * pad) + taps;
        return new(grown, x.Channels, Size(x.Height), Size(x.Width));
    }

    private Features Down(Resampling resampling, Features x, long pad)
    {
        if (resampling.IsBox && pad == 0)
            return Halved(x);
        return Convolved(x, [Depthwise(resampling, "down", x.Channels, 1)], x.Channels, resampling.Kernel.shape[^1], 2,
            [pad, pad, pad, pad], x.Channels);
    }

    // All resampling filters of a network are the same.
    private string Depthwise(Resampling resampling, string direction, long channels, double gain) => Nodes.Weight(
        FormattableString.Invariant($"{prefix}resample_filter.{direction}{channels}"),
        () => resampling.Kernel.cpu().Times(gain).tile([channels, 1, 1, 1]), exact: true);
}
