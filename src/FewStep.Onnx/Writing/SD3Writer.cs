using FewStep.Denoising;
using FewStep.Networks;

namespace FewStep.Onnx.Writing;

/// <summary>The transformer of Stable Diffusion 3: <c>hidden_states</c>, <c>timestep</c> (1000 t), <c>encoder_hidden_states</c> and
/// <c>pooled_projections</c> to <c>out_hidden_states</c>, at any size that its table of positions has.</summary>
internal sealed class SD3Part(string folder, SD3Transformer network, ImageShape shape, Tensor weights)
    : PipelineNetwork(folder, network.Layout, weights)
{
    private const string Images = "hidden_states", Times = "timestep", Context = "encoder_hidden_states", Pooled = "pooled_projections",
        Output = "out_hidden_states";

    public override IReadOnlyList<(string Name, Tensor Value)> Trial()
    {
        var options = network.Options;
        long tall = Side(shape.Height, options.PatchSize), wide = Side(shape.Width, options.PatchSize);
        return
        [
            (Images, Noise(1, Tried, shape.Channels, tall, wide)), (Context, Noise(2, Tried, TriedTokens, options.ContextDim)),
            (Pooled, Noise(3, Tried, options.PooledDim)), (Times, Numbers(17, 800.5f)),
        ];
    }

    public override void Write(OnnxGraph graph)
    {
        var options = network.Options;
        string images = graph.Input(Images, Batch, shape.Channels, Height, Width);
        string context = graph.Input(Context, Batch, Length, options.ContextDim);
        string pooled = graph.Input(Pooled, Batch, options.PooledDim), times = graph.Input(Times, Steps);
        string made = new SD3Writer(graph.Nodes, network, Weights).Write(images, times, context, pooled);
        graph.Output(Output, made, Batch, options.OutChannels, Height, Width);
    }

    public override IReadOnlyList<(string Name, Tensor Value)> Evaluate(ForwardPass pass, IReadOnlyDictionary<string, Tensor> given)
        => [(Output, network.Forward(
            pass, given[Images], given[Times], new() { Context = given[Context], Pooled = given[Pooled] }))];
}

/// <summary>Writes the transformer of Stable Diffusion 3.</summary>
internal sealed class SD3Writer(OnnxNodes nodes, SD3Transformer network, Tensor weights)
    : JointWriter(nodes, network.Layout, weights, network.Options.Channels)
{
    /// <summary>What the network makes of latents.</summary>
    /// <returns>Name of the value [B,C,H,W].</returns>
    public string Write(string images, string times, string context, string pooled)
    {
        var options = network.Options;
        long patch = options.PatchSize, channels = options.Channels;
        string shape = Nodes.Op("Shape", [images]);
        string patches = Nodes.Op("Div", [Nodes.Op("Gather", [shape, Nodes.Integers(2, 3)]), Nodes.Integers(patch)]);
        string tokens = Nodes.Plus(Patches(network.Patches, images, channels), Positions(patches));
        string? text = Projected(network.Context, context);
        string embedded = Nodes.Silu(Nodes.Plus(Embedded(network.Time, times), Embedded(network.Pooled, pooled)));
        foreach (var block in network.Blocks)
            (tokens, text) = Block(block, tokens, text!, embedded);
        string[] ends = Chunks(network.OutModulation, embedded, 2);
        string made = Projected(network.OutLayer, Scaled(Normalised(tokens, options.Channels), ends[1], ends[0]));

        // Tokens hold row in the patch, column in the patch, channel.
        string apart = Nodes.Op("Reshape", [made, Nodes.Concat(0, Nodes.Integers(0), patches, Nodes.Integers(patch, patch, -1))]);
        string sizes = Nodes.Concat(0, Nodes.Integers(0, options.OutChannels), Nodes.Op("Gather", [shape, Nodes.Integers(2, 3)]));
        return Nodes.Op("Reshape", [Nodes.Transpose(apart, 0, 5, 1, 3, 2, 4), sizes]);
    }

    // The middle of the table.
    private string Positions(string patches)
    {
        long side = network.Options.PositionTableSide, channels = network.Options.Channels;
        string table = Nodes.Weight(
            SD3Transformer.Table, () => network.Buffers[SD3Transformer.Table].cpu().view(side, side, -1), exact: true);
        string start = Nodes.Op("Div", [Nodes.Minus(Nodes.Integers(side, side), patches), Nodes.Integers(2)]);
        string middle = Nodes.Op("Slice", [table, start, Nodes.Plus(start, patches), Nodes.Integers(0, 1)]);
        return Nodes.Reshape(middle, -1, channels);
    }
}
