using FewStep.Denoising;
using FewStep.Networks;

namespace FewStep.Onnx.Writing;

/// <summary>A U-Net conditioned on text: <c>sample</c>, <c>timestep</c>, <c>encoder_hidden_states</c>, of XL <c>text_embeds</c> and
/// <c>time_ids</c>, of latent consistency models <c>timestep_cond</c>, to <c>out_sample</c>, at any size.</summary>
internal sealed class ConditionUNetPart(string folder, ConditionUNet network, ImageShape shape, Tensor weights)
    : PipelineNetwork(folder, network.Layout, weights)
{
    private const string Images = "sample", Times = "timestep", Context = "encoder_hidden_states", Pooled = "text_embeds",
        Sizes = "time_ids", Guidance = "timestep_cond", Output = "out_sample";

    private const double TriedGuidance = 6.5;

    private ConditionUNetOptions Options => network.Options;
    private long PooledChannels => Options.AddedChannels!.Value - (ConditionUNetOptions.SizesOfAnImage * Options.SizeChannels!.Value);

    public override IReadOnlyList<(string Name, Tensor Value)> Trial()
    {
        long multiple = ((INetworkOptions)Options).SideMultiple, tall = Side(shape.Height, multiple), wide = Side(shape.Width, multiple);
        List<(string, Tensor)> all =
        [
            (Images, Noise(1, Tried, shape.Channels, tall, wide)), (Times, Numbers(17, 800.5f)),
            (Context, Noise(2, Tried, TriedTokens, Options.ContextChannels)),
        ];
        if (network.IsToldSizes)
            all.AddRange([(Pooled, Noise(3, Tried, PooledChannels)), (Sizes, Numbers(512, 768, 0, 16, 512, 768).expand(Tried, -1))]);
        if (Options.GuidanceChannels is { } channels)
            all.Add((Guidance, ConditionEmbedding.OfGuidance(Scales(), channels)));
        return all;
    }

    public override void Write(OnnxGraph graph)
    {
        string images = graph.Input(Images, Batch, shape.Channels, Height, Width), times = graph.Input(Times, Steps);
        string context = graph.Input(Context, Batch, Length, Options.ContextChannels);
        string? pooled = network.IsToldSizes ? graph.Input(Pooled, Batch, PooledChannels) : null;
        string? sizes = network.IsToldSizes ? graph.Input(Sizes, Batch, ConditionUNetOptions.SizesOfAnImage) : null;
        string? guidance = Options.GuidanceChannels is { } channels ? graph.Input(Guidance, Batch, channels) : null;
        string made = new ConditionUNetWriter(graph.Nodes, network, Weights).Write(images, times, context, pooled, sizes, guidance);
        graph.Output(Output, made, Batch, Options.OutChannels, Height, Width);
    }

    public override IReadOnlyList<(string Name, Tensor Value)> Evaluate(ForwardPass pass, IReadOnlyDictionary<string, Tensor> given)
    {
        var condition = new NetworkCondition
        {
            Context = given[Context],
            Pooled = given.GetValueOrDefault(Pooled),
            Sizes = given.GetValueOrDefault(Sizes),
            GuidanceScale = Options.GuidanceChannels is null ? null : Scales(),
        };
        return [(Output, network.Forward(pass, NetworkDenoiser.ChannelsLast(given[Images]), given[Times], condition))];
    }

    private static Tensor Scales() => TensorArithmetic.Full([Tried], TriedGuidance, ScalarType.Float32, CPU);
}

/// <summary>Writes the U-Net conditioned on text.</summary>
internal sealed class ConditionUNetWriter(OnnxNodes nodes, ConditionUNet network, Tensor weights)
    : DiffusersWriter(nodes, network.Layout, weights)
{
    /// <summary>What the network makes of scaled latents.</summary>
    /// <returns>Name of the value [B,C,H,W].</returns>
    public string Write(string images, string times, string context, string? pooled, string? sizes, string? guidance)
    {
        var options = network.Options;
        string embedded = Embed(times, pooled, sizes, guidance);
        var x = Convolution(network.Input, new Features(images, options.InChannels));
        var skips = new Stack<Features>([x]);
        foreach (var stage in network.Down)
        {
            for (int i = 0; i < stage.Blocks.Count; i++)
                skips.Push(x = Stage(stage, i, x, embedded, context));
            if (stage.Down is not null)
                skips.Push(x = Strided(stage.Down, x));
        }

        if (network.Middle is { } middle)
            x = Block(middle.Blocks[1], Stage(middle, 0, x, embedded, context), embedded);
        foreach (var stage in network.Up)
        {
            for (int i = 0; i < stage.Blocks.Count; i++)
                x = Stage(stage, i, Joined(x, skips.Pop()), embedded, context);
            x = stage.Up is null ? x : Convolution(stage.Up, x);
        }

        return Convolution(network.Output, Silu(Normalised(network.Norm, x))).Name;
    }

    private string Embed(string times, string? pooled, string? sizes, string? guidance)
    {
        var (embedding, sinesFirst) = (network.Embedding, !network.Options.CosineFirst);
        string embedded = Waves(embedding.Time, times, sinesFirst);
        if (guidance is not null)
            embedded = Nodes.Plus(embedded, Linear(embedding.GuidanceLayer!, guidance));
        embedded = Embedded(embedding.TimeLayers, embedded);
        if (pooled is not null)
        {
            int each = network.Options.SizeChannels!.Value;
            string waves = Waves(new PositionalEmbedding(each, network.Options.FrequencyEndpoint), sizes!, sinesFirst);
            string added = Nodes.Concat(1, pooled, Nodes.Reshape(waves, -1, ConditionUNetOptions.SizesOfAnImage * each));
            embedded = Nodes.Plus(embedded, Embedded(embedding.AddedLayers!, added));
        }

        return Nodes.Silu(embedded);
    }

    private Features Stage(UNetStage stage, int index, Features x, string embedded, string context)
    {
        x = Block(stage.Blocks[index], x, embedded);
        return stage.Transformers.Count == 0 ? x : Transformed(stage.Transformers[index], x, context);
    }

    private Features Transformed(SpatialTransformer transformer, Features x, string context)
    {
        string tokens = Projected(transformer.Input, OfMap(Normalised(transformer.Norm, x)));
        foreach (var block in transformer.Blocks)
        {
            string normal = Normalised(block.Norm1, tokens);
            tokens = Nodes.Plus(tokens, Attended(block.SelfAttention, normal, normal));
            tokens = Nodes.Plus(tokens, Attended(block.ContextAttention, Normalised(block.Norm2, tokens), context));
            string[] halves = Nodes.Split(Projected(block.FeedForward.Input, Normalised(block.Norm3, tokens)), 2, axis: -1);
            tokens = Nodes.Plus(tokens, Projected(block.FeedForward.Output, Nodes.Times(halves[0], Gelu(halves[1]))));
        }

        return Sum(x, Map(Projected(transformer.Output, tokens), x));
    }
}

/// <summary>Writes what the networks of latents with diffusers' names have in common.</summary>
internal abstract class DiffusersWriter(OnnxNodes nodes, ParameterLayout layout, Tensor weights) : TokenWriter(nodes, layout, weights)
{
    protected Features Joined(Features x, Features skip)
        => x with { Name = Nodes.Concat(1, x.Name, skip.Name), Channels = x.Channels + skip.Channels };

    /// <param name="embedded">SiLU of the embedding [B,E]; null for a block without one.</param>
    protected Features Block(ResnetBlock block, Features input, string? embedded = null)
    {
        var x = Convolution(block.Conv1, Silu(Normalised(block.Norm1, input)));
        if (block.Embedding is not null)
        {
            string shift = Nodes.Op("Unsqueeze", [Linear(block.Embedding, embedded!), Nodes.Integers(2, 3)]);
            x = x with { Name = Nodes.Plus(x.Name, shift) };
        }

        x = Convolution(block.Conv2, Silu(Normalised(block.Norm2, x)));
        return Sum(x, block.Shortcut is null ? input : Convolution(block.Shortcut, input));
    }
}
