using FewStep.Denoising;
using FewStep.Networks;
using FewStep.Onnx.Proto;

namespace FewStep.Onnx.Writing;

/// <summary>A class-conditional transformer: <c>hidden_states</c>, <c>timestep</c> and <c>class_labels</c> to <c>out_sample</c>, at one
/// size.</summary>
internal sealed class DiTPart(string folder, DiT network, ImageShape shape, Tensor weights)
    : PipelineNetwork(folder, network.Layout, weights)
{
    private const string Images = "hidden_states", Times = "timestep", Labels = "class_labels", Output = "out_sample";

    public override IReadOnlyList<(string Name, Tensor Value)> Trial() =>
    [
        (Images, Noise(1, shape.Batch(Tried))), (Times, Numbers(17, 800.5f)),
        (Labels, tensor([0, network.Options.LabelDim], ScalarType.Int64)),
    ];

    public override void Write(OnnxGraph graph)
    {
        string images = graph.Input(Images, Batch, shape.Channels, shape.Height, shape.Width), times = graph.Input(Times, Steps);
        string labels = graph.Input(Labels, TensorProto.Types.DataType.Int64, Batch);
        var made = new DiTWriter(graph.Nodes, network, Weights)
            .Write(new(images, shape.Channels, shape.Height, shape.Width), times, labels);
        graph.Output(Output, made.Name, Batch, made.Channels, shape.Height, shape.Width);
    }

    public override IReadOnlyList<(string Name, Tensor Value)> Evaluate(ForwardPass pass, IReadOnlyDictionary<string, Tensor> given)
        => [(Output, network.Forward(pass, given[Images], given[Times], new() { Classes = given[Labels] }))];
}

/// <summary>Writes the transformer of classes.</summary>
internal sealed class DiTWriter(OnnxNodes nodes, DiT network, Tensor weights, string prefix = "")
    : TokenWriter(nodes, network.Layout, weights, prefix)
{
    private readonly string _prefix = prefix;

    /// <summary>What the network makes of latents of a fixed size.</summary>
    /// <param name="noise">Noise labels, [B] or [1].</param>
    /// <param name="labels">int64 [B], where the number of classes and -1 stand for "no class"; null for that everywhere.</param>
    public Features Write(Features x, string noise, string? labels)
    {
        var options = network.Options;
        long patch = options.PatchSize, height = x.Height / patch, width = x.Width / patch;
        string positions = Nodes.Weight($"{_prefix}pos_embed.table", () => PatchPositions.Table(options.Channels, height, width,
            options.ImgResolution / options.PatchSize, options.PositionScale, CPU), exact: true);
        string tokens = Nodes.Plus(Patches(network.Patches, x.Name, options.Channels), positions);
        string? shared = network.Shared is null ? null : Embed(network.Shared, noise, labels), first = shared;
        foreach (var block in network.Blocks)
        {
            string embedded = shared ?? Embed(block.Embedding!, noise, labels);
            first ??= embedded;
            tokens = Block(block, tokens, Nodes.Silu(embedded));
        }

        string[] ends = Chunks(network.OutModulation, Nodes.Silu(first!), 2);
        string made = Projected(network.OutLayer, Scaled(Normalised(tokens, options.Channels), ends[0], ends[1]));
        string parts = Nodes.Transpose(Nodes.Reshape(made, 0, height, width, patch, patch, options.OutChannels), 0, 5, 1, 3, 2, 4);
        return new(Nodes.Reshape(parts, 0, options.OutChannels, x.Height, x.Width), options.OutChannels, x.Height, x.Width);
    }

    // The row behind those of the classes, where -1 leads too, is "no class".
    private string Embed(DiT.TimeAndClass embedding, string noise, string? labels)
        => Nodes.Plus(Embedded(embedding.Time, noise), Nodes.Op("Gather", [Weight(embedding.Table), labels ?? Nodes.Integers(-1)]));

    private string Block(DiT.Block block, string x, string embedded)
    {
        int channels = network.Options.Channels;
        string[] m = Chunks(block.Modulation, embedded, 6); // shift, scale, gate; of attention and layer
        var (query, key, value) = Projected(block.Heads, Scaled(Normalised(x, channels), m[0], m[1]));
        string attended = Attend(query, key, value, ScaleOf(block.Heads.Query, block.Heads.Heads));
        x = Gated(x, m[2], Projected(block.Projection, attended));
        return Gated(x, m[5], FedForward(block.FeedForward, Scaled(Normalised(x, channels, block.Epsilon), m[3], m[4])));
    }
}
