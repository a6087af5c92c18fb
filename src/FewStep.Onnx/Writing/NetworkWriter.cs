using FewStep.Networks;

namespace FewStep.Onnx.Writing;

/// <summary>Writes a network's layers as nodes of ONNX, module by module: an architecture that is made of the same modules needs nothing of
/// its own here.</summary>
/// <param name="prefix">Put before the names of the weights.</param>
internal sealed class NetworkWriter(OnnxNodes nodes, NetworkDenoiser denoiser, string prefix)
{
    private readonly IReadOnlyList<ParameterSpec> _specs = denoiser.Layout.Specs;
    private readonly Tensor[] _weights = denoiser.Layout.Views(denoiser.Weights);
    private string _embedding = "";
    private Features _image;
    private Features? _output;

    /// <summary>Features of a fixed size: the value's name, channels, height, width.</summary>
    private readonly record struct Features(string Name, long Channels, long Height, long Width);

    /// <summary>What the raw network makes of scaled images.</summary>
    /// <param name="x">Name of the value [B,C,H,W].</param>
    /// <param name="noise">Noise labels, [B] or [1].</param>
    /// <param name="labels">int64 [B], where the number of classes and -1 stand for "no class"; null without classes.</param>
    /// <returns>Name of the value [B,C,H,W], without a learnt variance.</returns>
    public string Write(string x, string noise, string? labels)
    {
        if (denoiser.Network is not UNet network)
        {
            throw new InvalidInputException(
                $"Networks of the kind {denoiser.Network.GetType().Name} cannot be written as ONNX; U-Nets can.");
        }

        var raw = Evaluate(network, Folded(x), noise, labels);
        string images = Unfolded(raw);
        return raw.Channels == denoiser.Shape.Channels * denoiser.PatchSize * denoiser.PatchSize ? images
            : nodes.Op("Slice", [images, nodes.Integers(0), nodes.Integers(denoiser.Shape.Channels), nodes.Integers(1)]);
    }

    // Patches become channels as in pixel_unshuffle, whose order SpaceToDepth has not.
    private Features Folded(string x)
    {
        int p = denoiser.PatchSize;
        long c = denoiser.Shape.Channels, h = denoiser.Shape.Height / p, w = denoiser.Shape.Width / p;
        if (p == 1)
            return new(x, c, h, w);
        string parts = nodes.Transpose(nodes.Reshape(x, 0, c, h, p, w, p), 0, 1, 3, 5, 2, 4);
        return new(nodes.Reshape(parts, 0, c * p * p, h, w), c * p * p, h, w);
    }

    private string Unfolded(Features raw) => denoiser.PatchSize == 1 ? raw.Name
        : nodes.Op("DepthToSpace", [raw.Name], OnnxNodes.Of("blocksize", denoiser.PatchSize), OnnxNodes.Of("mode", "CRD"));

    private Features Evaluate(UNet network, Features x, string noise, string? labels)
    {
        _embedding = Embed(network.Embedding, noise, labels);
        (_image, _output) = (x, null);
        var skips = new Stack<Features>();
        foreach (var (place, layer) in network.Plan.Zip(network.Layers))
        {
            x = Layer(layer, place.JoinsSkip ? Joined(x, skips.Pop()) : x);
            if (place.IsEncoder)
                skips.Push(x);
        }

        return network.End is { } end ? End(end, x) : _output!.Value;
    }

    private Features Joined(Features x, Features skip)
        => x with { Name = nodes.Concat(1, x.Name, skip.Name), Channels = x.Channels + skip.Channels };

    private Features Layer(IUNetLayer layer, Features x)
    {
        switch (layer)
        {
            case Conv2d convolution:
                return Convolution(convolution, x);
            case StridedConv2d strided:
                return Strided(strided, x);
            case UNetBlock block:
                return Block(block, x);
            case InputSkip skip:
                x = Block(skip.Block, x);
                _image = Convolution(skip.Down, _image);
                return Sum(x, Convolution(skip.Convolution, _image));
            case InputResidual residual:
                x = Sum(Block(residual.Block, x), Convolution(residual.Residual, _image));
                return _image = x with { Name = nodes.Times(x.Name, InputResidual.Scale) };
            case OutputSum output:
                x = Block(output.Block, x);
                Features? before = output.Up is { } up ? Convolution(up, _output!.Value) : null;
                var image = End(output.End, x);
                _output = before is { } coarse ? Sum(image, coarse) : image;
                return x;
            default:
                throw new InvalidInputException($"Layers of the kind {layer.GetType().Name} cannot be written as ONNX.");
        }
    }

    private string Embed(UNetEmbedding embedding, string noise, string? labels)
    {
        string frequencies;
        using (NewDisposeScope())
        {
            double[] factors = embedding.Noise.Frequencies(CPU).to(ScalarType.Float64).data<double>().ToArray();
            frequencies = nodes.Floats(factors, 1, factors.Length);
        }

        string angles = nodes.Times(nodes.Reshape(noise, -1, 1), frequencies);
        string cosines = nodes.Op("Cos", [angles]), sines = nodes.Op("Sin", [angles]);
        string embedded = embedding.SinesFirst ? nodes.Concat(1, sines, cosines) : nodes.Concat(1, cosines, sines);
        if (embedding.LabelComesFirst)
            embedded = WithClass(embedding, embedded, labels);
        embedded = Linear(embedding.Layer1, nodes.Silu(Linear(embedding.Layer0, embedded)));
        if (!embedding.LabelComesFirst)
            embedded = WithClass(embedding, embedded, labels);
        return nodes.Silu(embedded);
    }

    // A row of the table for each class, and zeros behind them for none, where -1 leads as well.
    private string WithClass(UNetEmbedding embedding, string embedded, string? labels)
    {
        if (embedding.Label is not { } label || labels is null)
            return embedded;
        string table = nodes.Weight(Name(label.Weight), () => nn.functional.pad(_weights[label.Weight].t(), [0, 0, 0, 1]));
        string row = nodes.Times(nodes.Op("Gather", [table, labels]), embedding.LabelScale);
        return nodes.Plus(embedded, label.Bias is int bias ? nodes.Plus(row, Weight(bias)) : row);
    }

    private string Linear(Linear layer, string x)
        => nodes.Op("Gemm", [x, Weight(layer.Weight), .. layer.Bias is int bias ? new[] { Weight(bias) } : []], OnnxNodes.Of("transB", 1));

    private Features Block(UNetBlock block, Features input)
    {
        var x = Convolution(block.Conv0, Silu(Normalised(block.Norm0, input)));
        string modulation = nodes.Op("Unsqueeze", [Linear(block.Affine, _embedding), nodes.Integers(2, 3)]);
        if (block.Options.AdaptiveScale)
        {
            string[] halves = nodes.Split(modulation, 2, axis: 1);
            string scaled = nodes.Times(Normalised(block.Norm1, x).Name, nodes.Plus(halves[0], nodes.Number(1)));
            x = x with { Name = nodes.Plus(scaled, halves[1]) };
        }
        else
        {
            x = Normalised(block.Norm1, x with { Name = nodes.Plus(x.Name, modulation) });
        }

        x = Convolution(block.Conv1, Silu(x));
        x = Scaled(Sum(x, block.Skip is { } skip ? Convolution(skip, input) : input));
        return block.Heads == 0 ? x : Scaled(Sum(Attended(block, x), x));

        Features Scaled(Features y) => y with { Name = nodes.Times(y.Name, block.Options.SkipScale) };
    }

    private Features Attended(UNetBlock block, Features x)
    {
        long heads = block.Heads, each = x.Channels / heads, pixels = x.Height * x.Width;

        // The reference interleaves query, key and value innermost among a head's channels; here they come one after the other.
        Tensor Ordered(Tensor parameter) => parameter.flatten(1).view(heads, each, 3, -1).permute(2, 0, 1, 3).reshape(parameter.shape);
        var qkv = block.Qkv!;
        string weight = nodes.Weight(Name(qkv.Weight!.Value), () => Ordered(_weights[qkv.Weight.Value]));
        string bias = nodes.Weight(Name(qkv.Bias!.Value), () => Ordered(_weights[qkv.Bias.Value].unsqueeze(1)).squeeze(1));
        var input = block.Norm2 is { } norm ? Normalised(norm, x) : x;
        string[] parts = nodes.Split(nodes.Op("Conv", [input.Name, weight, bias], OnnxNodes.Of("kernel_shape", [1, 1])), 3, axis: 1);
        string[] split = [.. parts.Select(part => nodes.Reshape(part, 0, heads, each, pixels))];
        string scores = nodes.Op("MatMul", [nodes.Transpose(split[0], 0, 1, 3, 2), split[1]]);
        string shares = nodes.Op("Softmax", [nodes.Times(scores, 1 / Math.Sqrt(each))], OnnxNodes.Of("axis", -1));
        string attended = nodes.Op("MatMul", [split[2], nodes.Transpose(shares, 0, 1, 3, 2)]);
        return Convolution(block.Projection!, x with { Name = nodes.Reshape(attended, 0, x.Channels, x.Height, x.Width) });
    }

    private Features End(NormalisedConvolution end, Features x) => Convolution(end.Convolution, Silu(Normalised(end.Norm, x)));
    private Features Silu(Features x) => x with { Name = nodes.Silu(x.Name) };
    private Features Sum(Features a, Features b) => a with { Name = nodes.Plus(a.Name, b.Name) };

    // Groups are instances whose channels are one: ONNX has no group normalisation before opset 18, and one that differs from 18 to 21.
    private Features Normalised(GroupNorm norm, Features x)
    {
        string Each(double value) => nodes.Floats([.. Enumerable.Repeat(value, (int)norm.Groups)], norm.Groups);
        string groups = nodes.Op("InstanceNormalization", [nodes.Reshape(x.Name, 0, norm.Groups, -1), Each(1), Each(0)],
            OnnxNodes.Of("epsilon", norm.Epsilon));
        string Channels(int index) => nodes.Weight(Name(index), () => _weights[index].view(-1, 1, 1));
        string scaled = nodes.Times(nodes.Reshape(groups, 0, x.Channels, x.Height, x.Width), Channels(norm.Weight));
        return x with { Name = nodes.Plus(scaled, Channels(norm.Bias)) };
    }

    // As Conv2d evaluates it.
    private Features Convolution(Conv2d layer, Features x)
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

    private Features Strided(StridedConv2d layer, Features x)
        => Convolved(x, [Weight(layer.Weight), Weight(layer.Bias)], x.Channels, 3, 2, layer.IsSymmetric ? [1, 1, 1, 1] : [0, 0, 1, 1]);

    private Features Convolved(
        Features x, string[] weights, long channels, long kernel, long stride, long[] pads, long groups = 1)
    {
        string convolved = nodes.Op("Conv", [x.Name, .. weights], OnnxNodes.Of("kernel_shape", [kernel, kernel]),
            OnnxNodes.Of("strides", [stride, stride]), OnnxNodes.Of("pads", pads), OnnxNodes.Of("group", groups));
        long Size(long size, int side) => ((size + pads[side] + pads[side + 2] - kernel) / stride) + 1;
        return new(convolved, channels, Size(x.Height, 0), Size(x.Width, 1));
    }

    private Features Up(Resampling resampling, Features x, long pad)
    {
        if (resampling.IsBox && pad == 0)
        {
            string larger = nodes.Op("Resize", [x.Name, "", nodes.Floats([1, 1, 2, 2], 4)], OnnxNodes.Of("mode", "nearest"),
                OnnxNodes.Of("coordinate_transformation_mode", "asymmetric"), OnnxNodes.Of("nearest_mode", "floor"));
            return new(larger, x.Channels, x.Height * 2, x.Width * 2);
        }

        long taps = resampling.Kernel.shape[^1];
        string grown = nodes.Op("ConvTranspose", [x.Name, Depthwise(resampling, "up", x.Channels, 4)],
            OnnxNodes.Of("kernel_shape", [taps, taps]), OnnxNodes.Of("strides", [2, 2]), OnnxNodes.Of("pads", [pad, pad, pad, pad]),
            OnnxNodes.Of("group", x.Channels));
        long Size(long size) => ((size - 1) * 2) - (2 * pad) + taps;
        return new(grown, x.Channels, Size(x.Height), Size(x.Width));
    }

    private Features Down(Resampling resampling, Features x, long pad)
    {
        if (resampling.IsBox && pad == 0)
        {
            string smaller = nodes.Op(
                "AveragePool", [x.Name], OnnxNodes.Of("kernel_shape", [2, 2]), OnnxNodes.Of("strides", [2, 2]));
            return new(smaller, x.Channels, x.Height / 2, x.Width / 2);
        }

        return Convolved(x, [Depthwise(resampling, "down", x.Channels, 1)], x.Channels, resampling.Kernel.shape[^1], 2,
            [pad, pad, pad, pad], x.Channels);
    }

    // All resampling filters of a network are the same.
    private string Depthwise(Resampling resampling, string direction, long channels, double gain) => nodes.Weight(
        FormattableString.Invariant($"{prefix}resample_filter.{direction}{channels}"),
        () => resampling.Kernel.cpu().Times(gain).tile([channels, 1, 1, 1]), exact: true);

    private string Weight(int index) => nodes.Weight(Name(index), () => _weights[index]);
    private string Name(int index) => prefix + _specs[index].Name;
}
