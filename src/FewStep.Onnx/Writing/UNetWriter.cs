using FewStep.Networks;

namespace FewStep.Onnx.Writing;

/// <summary>Writes the U-Nets that work on images.</summary>
internal sealed class UNetWriter(OnnxNodes nodes, NetworkDenoiser denoiser, string prefix)
    : ModuleWriter(nodes, denoiser.Layout, denoiser.Weights, prefix)
{
    private string _embedding = "";
    private Features _image;
    private Features? _output;

    /// <summary>What the network makes of folded images.</summary>
    /// <param name="noise">Noise labels, [B] or [1].</param>
    /// <param name="labels">int64 [B]; null without classes.</param>
    public Features Write(UNet network, Features x, string noise, string? labels)
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
        => x with { Name = Nodes.Concat(1, x.Name, skip.Name), Channels = x.Channels + skip.Channels };

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
                return _image = x with { Name = Nodes.Times(x.Name, InputResidual.Scale) };
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
        string embedded = Waves(embedding.Noise, noise, embedding.SinesFirst);
        if (embedding.LabelComesFirst)
            embedded = WithClass(embedding, embedded, labels);
        embedded = Linear(embedding.Layer1, Nodes.Silu(Linear(embedding.Layer0, embedded)));
        if (!embedding.LabelComesFirst)
            embedded = WithClass(embedding, embedded, labels);
        return Nodes.Silu(embedded);
    }

    // A row of the table for each class, and zeros behind them for none, where -1 leads as well.
    private string WithClass(UNetEmbedding embedding, string embedded, string? labels)
    {
        if (embedding.Label is not { } label || labels is null)
            return embedded;
        string table = Nodes.Weight(Name(label.Weight), () => nn.functional.pad(Weights[label.Weight].t(), [0, 0, 0, 1]));
        string row = Nodes.Times(Nodes.Op("Gather", [table, labels]), embedding.LabelScale);
        return Nodes.Plus(embedded, label.Bias is int bias ? Nodes.Plus(row, Weight(bias)) : row);
    }

    private Features Block(UNetBlock block, Features input)
    {
        var x = Convolution(block.Conv0, Silu(Normalised(block.Norm0, input)));
        string modulation = Nodes.Op("Unsqueeze", [Linear(block.Affine, _embedding), Nodes.Integers(2, 3)]);
        if (block.Options.AdaptiveScale)
        {
            string[] halves = Nodes.Split(modulation, 2, axis: 1);
            string scaled = Nodes.Times(Normalised(block.Norm1, x).Name, Nodes.Plus(halves[0], Nodes.Number(1)));
            x = x with { Name = Nodes.Plus(scaled, halves[1]) };
        }
        else
        {
            x = Normalised(block.Norm1, x with { Name = Nodes.Plus(x.Name, modulation) });
        }

        x = Convolution(block.Conv1, Silu(x));
        x = Scaled(Sum(x, block.Skip is { } skip ? Convolution(skip, input) : input));
        return block.Heads == 0 ? x : Scaled(Sum(Attended(block, x), x));

        Features Scaled(Features y) => y with { Name = Nodes.Times(y.Name, block.Options.SkipScale) };
    }

    private Features Attended(UNetBlock block, Features x)
    {
        long heads = block.Heads, each = x.Channels / heads, pixels = x.Height * x.Width;

        // The reference interleaves query, key and value innermost among a head's channels; here they come one after the other.
        Tensor Ordered(Tensor parameter) => parameter.flatten(1).view(heads, each, 3, -1).permute(2, 0, 1, 3).reshape(parameter.shape);
        var qkv = block.Qkv!;
        string weight = Nodes.Weight(Name(qkv.Weight!.Value), () => Ordered(Weights[qkv.Weight.Value]));
        string bias = Nodes.Weight(Name(qkv.Bias!.Value), () => Ordered(Weights[qkv.Bias.Value].unsqueeze(1)).squeeze(1));
        var input = block.Norm2 is { } norm ? Normalised(norm, x) : x;
        string[] parts = Nodes.Split(Nodes.Op("Conv", [input.Name, weight, bias], OnnxNodes.Of("kernel_shape", [1, 1])), 3, axis: 1);
        string[] split = [.. parts.Select(part => Nodes.Reshape(part, 0, heads, each, pixels))];
        string scores = Nodes.Op("MatMul", [Nodes.Transpose(split[0], 0, 1, 3, 2), split[1]]);
        string shares = Nodes.Op("Softmax", [Nodes.Times(scores, 1 / Math.Sqrt(each))], OnnxNodes.Of("axis", -1));
        string attended = Nodes.Op("MatMul", [split[2], Nodes.Transpose(shares, 0, 1, 3, 2)]);
        return Convolution(block.Projection!, x with { Name = Nodes.Reshape(attended, 0, x.Channels, x.Height, x.Width) });
    }

    private Features End(NormalisedConvolution end, Features x) => Convolution(end.Convolution, Silu(Normalised(end.Norm, x)));
}
