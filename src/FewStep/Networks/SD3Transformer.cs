namespace FewStep.Networks;

/// <summary>The multimodal diffusion transformer of Stable Diffusion 3 and 3.5 (Esser et al. 2403.03206), with diffusers' parameter names;
/// it is told a text and its pooled embedding.</summary>
internal sealed class SD3Transformer : Network
{
    /// <summary>Name of the table of positions [1, side^2, D].</summary>
    public const string Table = "pos_embed.pos_embed";

    public SD3TransformerOptions Options { get; }
    public PatchEmbedding Patches { get; }
    public TokenLinear Context { get; }
    public NumberEmbedding Time { get; }
    public EmbeddingLayers Pooled { get; }
    public List<JointBlock> Blocks { get; } = [];
    public Linear OutModulation { get; }
    public TokenLinear OutLayer { get; }

    public SD3Transformer(SD3TransformerOptions options)
    {
        Options = options.Checked();
        int channels = options.Channels, side = options.PositionTableSide, patch = options.PatchSize;
        var init = new WeightInit(WeightInitMode.XavierUniform);
        Builder.Buffer(Table, PatchPositions.Table(channels, side, side, options.ImgResolution / patch, 1, CPU).unsqueeze(0));
        Patches = new PatchEmbedding(Builder.At("pos_embed.proj"), options.InChannels, channels, patch, init);
        Time = new NumberEmbedding(Builder.At("time_text_embed.timestep_embedder"), channels, init);
        Pooled = new EmbeddingLayers(Builder.At("time_text_embed.text_embedder"), options.PooledDim, channels, init);
        Context = new TokenLinear(Builder.At("context_embedder"), options.ContextDim, channels);
        for (int i = 0; i < options.Layers; i++)
        {
            Blocks.Add(new JointBlock(Builder.At($"transformer_blocks.{i}"), new JointBlockOptions(channels, options.Heads)
            {
                Normalised = options.NormalisedHeads,
                Dual = options.DualAttentionLayers.Contains(i),
                EndsText = i == options.Layers - 1,
            }));
        }

        OutModulation = new Linear(Builder.At("norm_out.linear"), channels, 2 * channels, WeightInit.Zeros);
        OutLayer = new TokenLinear(Builder.At("proj_out"), channels, patch * patch * options.OutChannels, init: WeightInit.Zeros);
    }

    public override double Dropout => 0;
    public override bool RecomputesBlocks => true;

    public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition)
    {
        var (context, pooled) = TextCondition.Of(condition, x, Options.ContextDim, Options.PooledDim, "A Stable Diffusion 3 transformer");
        long height = x.shape[2] / Options.PatchSize, width = x.shape[3] / Options.PatchSize;
        var tokens = Patches.Forward(pass, x).Plus(Positions(height, width).to(x.dtype));
        Tensor? text = Context.Forward(pass, context);
        var embedded = nn.functional.silu(Time.Forward(pass, noiseLabels).Plus(Pooled.Forward(pass, pooled)));
        for (int i = 0; i < Blocks.Count; i++)
        {
            using var scope = NewDisposeScope();
            (tokens, text) = Blocks[i].Forward(pass, tokens, text!, embedded);
            (tokens, text) = (tokens.MoveToOuterDisposeScope(), text?.MoveToOuterDisposeScope());
            if (pass.Encoded is not null && i == (Blocks.Count - 1) / 2)
                return pass.Encoded[int.MaxValue] = Tokens.Map(tokens, height, width).MoveToOuterDisposeScope();
        }

        var ends = OutModulation.Forward(pass, embedded).chunk(2, 1);
        return Tokens.Image(
            OutLayer.Forward(pass, Tokens.Modulated(tokens, ends[1], ends[0])), height, width, Options.PatchSize);
    }

    // The middle of the table.
    private Tensor Positions(long height, long width)
    {
        long side = Options.PositionTableSide;
        if (height > side || width > side)
        {
            throw new InvalidInputException(InvariantText.Of($"Latents of {height} x {width} patches are larger than the {side} x {side} "
                + $"places that the transformer knows; take a smaller resolution.").ToString());
        }

        return Buffers[Table].view(side, side, -1).narrow(0, (side - height) / 2, height).narrow(1, (side - width) / 2, width)
            .flatten(0, 1);
    }
}

/// <summary>What networks that need a text are told.</summary>
internal static class TextCondition
{
    /// <summary>The text [B,L,contextDim] in the type of x, and its pooled embedding [B,pooledDim].</summary>
    /// <exception cref="InvalidInputException">One is missing or has another width.</exception>
    public static (Tensor Context, Tensor Pooled) Of(NetworkCondition? condition, Tensor x, int contextDim, int pooledDim, string network)
    {
        if (condition is not { Context: { } context, Pooled: { } pooled })
            throw new InvalidInputException($"{network} is told a text; give its embedding and its pooled embedding.");
        if (context.shape is not [_, _, var width] || width != contextDim || pooled.shape is not [_, var pooledWidth]
            || pooledWidth != pooledDim)
        {
            throw new InvalidInputException($"{network} is told texts of width {contextDim} and pooled ones of {pooledDim}, not of shapes "
                + $"[{string.Join(',', context.shape)}] and [{string.Join(',', pooled.shape)}]; take the text encoders of its pipeline.");
        }

        return (context.to(x.dtype), pooled.to(ScalarType.Float32));
    }
}
