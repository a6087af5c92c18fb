using FewStep.Networks;

namespace FewStep.Onnx.Writing;

/// <summary>The transformer of Flux: <c>hidden_states</c> (the tokens of folded latents), <c>timestep</c> (t),
/// <c>encoder_hidden_states</c>, <c>pooled_projections</c>, <c>img_ids</c>, <c>txt_ids</c> and perhaps <c>guidance</c> to
/// <c>out_hidden_states</c>, at any size.</summary>
internal sealed class FluxPart(string folder, FluxTransformer network, Tensor weights) : PipelineNetwork(folder, network.Layout, weights)
{
    private const string Images = "hidden_states", Times = "timestep", Context = "encoder_hidden_states", Pooled = "pooled_projections",
        Places = "img_ids", TextPlaces = "txt_ids", Guidance = "guidance", Output = "out_hidden_states", Packed = "packed_height_width";

    private const int TriedHeight = 6, TriedWidth = 4;

    public override IReadOnlyList<(string Name, Tensor Value)> Trial()
    {
        var options = network.Options;
        List<(string, Tensor)> all =
        [
            (Images, Noise(1, Tried, TriedHeight * TriedWidth, options.InChannels)),
            (Context, Noise(2, Tried, TriedTokens, options.ContextDim)), (Pooled, Noise(3, Tried, options.PooledDim)),
            (Times, Numbers(0.017f, 0.8005f)), (Places, RotaryPositions.Places(TriedHeight, TriedWidth)),
            (TextPlaces, zeros(TriedTokens, 3)),
        ];
        if (network.Guidance is not null)
            all.Add((Guidance, Numbers(3.5f, 2)));
        return all;
    }

    public override void Write(OnnxGraph graph)
    {
        var options = network.Options;
        string images = graph.Input(Images, Batch, Packed, options.InChannels);
        string context = graph.Input(Context, Batch, Length, options.ContextDim);
        string pooled = graph.Input(Pooled, Batch, options.PooledDim), times = graph.Input(Times, Steps);
        string places = graph.Input(Places, Packed, 3), textPlaces = graph.Input(TextPlaces, Length, 3);
        string? guidance = network.Guidance is null ? null : graph.Input(Guidance, Batch);
        string made = new FluxWriter(graph.Nodes, network, Weights).Write(images, times, context, pooled, places, textPlaces, guidance);
        graph.Output(Output, made, Batch, Packed, options.OutChannels);
    }

    public override IReadOnlyList<(string Name, Tensor Value)> Evaluate(ForwardPass pass, IReadOnlyDictionary<string, Tensor> given)
    {
        var condition = new NetworkCondition
        { Context = given[Context], Pooled = given[Pooled], GuidanceScale = given.GetValueOrDefault(Guidance) };
        var map = Tokens.Map(given[Images], TriedHeight, TriedWidth);
        return [(Output, Tokens.OfMap(network.Forward(pass, map, given[Times].Times(FluxTransformer.TimeFactor), condition)))];
    }
}

/// <summary>Writes the transformer of Flux.</summary>
internal sealed class FluxWriter(OnnxNodes nodes, FluxTransformer network, Tensor weights)
    : JointWriter(nodes, network.Layout, weights, network.Options.Channels)
{
    /// <summary>What the network makes of tokens.</summary>
    /// <returns>Name of the value [B,L,C].</returns>
    public string Write(string images, string times, string context, string pooled, string places, string textPlaces, string? guidance)
    {
        int channels = network.Options.Channels;
        string embedded = Nodes.Plus(
            Embedded(network.Time, Nodes.Times(times, FluxTransformer.TimeFactor)), Embedded(network.Pooled, pooled));
        if (guidance is not null)
            embedded = Nodes.Plus(embedded, Embedded(network.Guidance!, Nodes.Times(guidance, FluxTransformer.GuidanceFactor)));
        embedded = Nodes.Silu(embedded);
        string text = Projected(network.Context, context), tokens = Projected(network.Image, images);
        var positions = Rotation(Nodes.Concat(0, textPlaces, places));
        foreach (var block in network.Blocks)
        {
            var (image, newText) = Block(block, tokens, text, embedded, positions);
            (tokens, text) = (image, newText!);
        }

        string all = Nodes.Concat(1, text, tokens);
        foreach (var block in network.SingleBlocks)
            all = Single(block, all, embedded, positions);
        string[] ends = Chunks(network.OutModulation, embedded, 2);
        return Projected(network.OutLayer, Scaled(Normalised(From(all, Words(text)), channels), ends[1], ends[0]));
    }

    // Attention and layer side by side.
    private string Single(FluxTransformer.SingleBlock block, string x, string embedded, WrittenRotation positions)
    {
        string[] m = Chunks(block.Modulation, embedded, 3);
        string normal = Scaled(Normalised(x, network.Options.Channels), m[0], m[1]);
        var (query, key, value) = Projected(block.Heads, normal);
        string attended = Attend(Turned(query, positions), Turned(key, positions), value,
            ScaleOf(block.Heads.Query, block.Heads.Heads));
        string wide = ApproximateGelu(Projected(block.Wide, normal));
        return Gated(x, m[2], Projected(block.Projection, Nodes.Concat(2, attended, wide)));
    }

    // Each frequency twice, for both channels of a pair.
    private WrittenRotation Rotation(string places)
    {
        string[] columns = Nodes.Split(places, network.Options.AxesChannels.Count, axis: 1);
        string angles = Nodes.Concat(1, [.. network.Options.AxesChannels.Zip(columns, (count, column) =>
        {
            double[] frequencies = [.. Enumerable.Range(0, count).Select(i => RotaryPositions.Frequency(i / 2, count))];
            return Nodes.Times(column, Nodes.Floats(frequencies, 1, count));
        })]);
        return new(Nodes.Op("Cos", [angles]), Nodes.Op("Sin", [angles]));
    }
}
