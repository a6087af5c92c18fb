using FewStep.Networks;

namespace FewStep.Onnx.Writing;

/// <summary>Writes the magnitude-preserving U-Net.</summary>
internal sealed class Edm2Writer(OnnxNodes nodes, NetworkDenoiser denoiser, string prefix)
    : TokenWriter(nodes, denoiser.Layout, denoiser.Weights, prefix)
{
    /// <summary>What the network makes of images of a fixed size.</summary>
    /// <param name="noise">Noise labels, [B] or [1].</param>
    /// <param name="labels">int64 [B], -1 and the number of classes for none; null without classes.</param>
    public Features Write(Edm2UNet network, Features x, string noise, string? labels)
    {
        string embedded = Embed(network, noise, labels);
        var skips = new Stack<Features>();

        // A channel of ones stands for a bias.
        string first = Nodes.Op("Slice", [x.Name, Nodes.Integers(0), Nodes.Integers(1), Nodes.Integers(1)]);
        string ones = Nodes.Plus(Nodes.Times(first, Nodes.Number(0)), Nodes.Number(1));
        x = x with { Name = Nodes.Concat(1, x.Name, ones), Channels = x.Channels + 1 };
        foreach (var (place, block) in network.Plan.Zip(network.Blocks))
        {
            x = place.JoinsSkip ? Joined(x, skips.Pop(), network.Options.ConcatBalance) : x;
            x = block is null ? Convolved(network.First, x) : Block(block, x, embedded);
            if (place.IsEncoder)
                skips.Push(x);
        }

        return Convolved(network.Last, x, Weight(network.OutGain));
    }

    private string Embed(Edm2UNet network, string noise, string? labels)
    {
        var (frequencies, phases) = network.Waves;
        string Row(Tensor values) => Nodes.Floats([.. values.cpu().to(ScalarType.Float64).data<double>()], 1, values.NumberOfElements);
        string angles = Nodes.Plus(Nodes.Times(Nodes.Reshape(noise, -1, 1), Row(frequencies)), Row(phases));
        string embedded = Linear(network.Noise, Nodes.Times(Nodes.Op("Cos", [angles]), Math.Sqrt(2)));
        if (network.Label is { } label && labels is not null)
        {
            // A row for each class, and zeros behind them for none, where -1 leads as well.
            int classes = network.Options.LabelDim;
            string rows = Nodes.Transpose(Normal(label), 1, 0);
            string none = Nodes.Times(Nodes.Op("Slice", [rows, Nodes.Integers(0), Nodes.Integers(1), Nodes.Integers(0)]), Nodes.Number(0));
            string row = Nodes.Op("Gather", [Nodes.Concat(0, rows, none), labels]);
            embedded = Sum(embedded, Nodes.Times(row, Math.Sqrt(classes)), network.Options.LabelBalance);
        }

        return Gained(embedded);
    }

    private Features Block(Edm2UNet.Block block, Features x, string embedded)
    {
        var (place, options) = (block.Place, block.Options);
        x = place.Role switch { UNetRole.Down => Halved(x), UNetRole.Up => Doubled(x), _ => x };
        if (place.IsEncoder)
        {
            x = block.Skip is null ? x : Convolved(block.Skip, x);
            x = x with { Name = Unit(x.Name, 1, x.Channels) };
        }

        var y = Convolved(block.Residual0, x with { Name = Gained(x.Name) });
        string scale = Nodes.Plus(Linear(block.Embedding, embedded, Weight(block.EmbeddingGain)), Nodes.Number(1));
        string scaled = Nodes.Times(y.Name, Nodes.Op("Unsqueeze", [scale, Nodes.Integers(2, 3)]));
        y = Convolved(block.Residual1, y with { Name = Gained(scaled) });
        x = !place.IsEncoder && block.Skip is not null ? Convolved(block.Skip, x) : x;
        x = y with { Name = Sum(x.Name, y.Name, options.ResBalance) };
        if (block.Qkv is not null)
            x = x with { Name = Sum(x.Name, Attended(block, x), options.AttnBalance) };
        return options.ClipAct is not { } limit ? x
            : x with { Name = Nodes.Op("Clip", [x.Name, Nodes.Number(-limit), Nodes.Number(limit)]) };
    }

    private string Attended(Edm2UNet.Block block, Features x)
    {
        long heads = block.Place.Heads, each = x.Channels / heads, pixels = x.Height * x.Width;

        // The reference interleaves query, key and value innermost among a head's channels.
        string all = Nodes.Reshape(Convolved(block.Qkv!, x).Name, 0, heads, each, 3, pixels);
        string[] parts = Nodes.Split(Nodes.Transpose(Unit(all, 2, each), 3, 0, 1, 4, 2), 3, axis: 0);
        string[] split = [.. parts.Select(part => Nodes.Op("Squeeze", [part, Nodes.Integers(0)]))];
        string attended = Attend(split[0], split[1], split[2], 1 / Math.Sqrt(each));
        return Convolved(block.Projection!, Map(attended, x)).Name;
    }

    private string Gained(string x) => Nodes.Times(Nodes.Silu(x), MagnitudePreserving.SiluGain);

    private string Sum(string a, string b, double t)
    {
        double norm = Math.Sqrt(((1 - t) * (1 - t)) + (t * t));
        return Nodes.Plus(Nodes.Times(a, (1 - t) / norm), Nodes.Times(b, t / norm));
    }

    private Features Joined(Features a, Features b, double t)
    {
        double total = Math.Sqrt((a.Channels + b.Channels) / (((1 - t) * (1 - t)) + (t * t)));
        string joined = Nodes.Concat(1, Nodes.Times(a.Name, total / Math.Sqrt(a.Channels) * (1 - t)),
            Nodes.Times(b.Name, total / Math.Sqrt(b.Channels) * t));
        return a with { Name = joined, Channels = a.Channels + b.Channels };
    }

    // Divided by the root mean square over some axes of so many numbers.
    private string Unit(string x, long axis, long count) => Unit(x, [axis], count);

    private string Unit(string x, long[] axes, long count)
    {
        string norm = Nodes.Times(Nodes.Op("ReduceL2", [x], OnnxNodes.Of("axes", axes)), 1 / Math.Sqrt(count));
        return Nodes.Op("Div", [x, Nodes.Plus(norm, Nodes.Number(MagnitudePreserving.Epsilon))]);
    }

    // The runtime finds the norms once, when it loads the file.
    private string Normal(MagnitudePreservingConv layer)
        => Nodes.Times(Unit(Weight(layer.Weight), layer.Kernel == 0 ? [1] : [1, 2, 3], layer.FanIn), 1 / Math.Sqrt(layer.FanIn));

    private string Linear(MagnitudePreservingConv layer, string x, string? gain = null)
    {
        string weight = Normal(layer);
        return Nodes.Op("MatMul", [x, Nodes.Transpose(gain is null ? weight : Nodes.Times(weight, gain), 1, 0)]);
    }

    private Features Convolved(MagnitudePreservingConv layer, Features x, string? gain = null)
    {
        string weight = Normal(layer);
        return Convolved(x, [gain is null ? weight : Nodes.Times(weight, gain)], Weights[layer.Weight].shape[0], layer.Kernel, 1,
            [.. Enumerable.Repeat(layer.Kernel / 2L, 4)]);
    }
}
