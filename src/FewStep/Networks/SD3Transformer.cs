namespace FewStep.Networks;

/// <summary>The multimodal diffusion transformer of Stable Diffusion 3 and 3.5 (Esser et al. 2403.03206), with diffusers' parameter names;
/// it is told a text and its pooled embedding.</summary>
internal sealed class SD3Transformer : Network
{
    /// <summary>Name of the table of positions [1, side^2, D].</summary>
    public const string Table = "pos_embed.pos_embed";

    private readonly SD3TransformerOptions _options;
    private readonly PatchEmbedding _patches;
    private readonly Linear _context;
    private readonly NumberEmbedding _time;
    private readonly EmbeddingLayers _pooled;
    private readonly List<JointBlock> _blocks = [];
    private readonly Linear _outModulation;
    private readonly Linear _outLayer;

    public SD3Transformer(SD3TransformerOptions options)
    {
        _options = options.Checked();
        int channels = options.Channels, side = options.PositionTableSide, patch = options.PatchSize;
        var init = new WeightInit(WeightInitMode.XavierUniform);
        Builder.Buffer(Table, PatchPositions.Table(channels, side, side, options.ImgResolution / patch, 1, CPU).unsqueeze(0));
        _patches = new PatchEmbedding(Builder.At("pos_embed.proj"), options.InChannels, channels, patch, init);
        _time = new NumberEmbedding(Builder.At("time_text_embed.timestep_embedder"), channels, init);
        _pooled = new EmbeddingLayers(Builder.At("time_text_embed.text_embedder"), options.PooledDim, channels, init);
        _context = new Linear(Builder.At("context_embedder"), options.ContextDim, channels, init);
        for (int i = 0; i < options.Layers; i++)
        {
            _blocks.Add(new JointBlock(Builder.At($"transformer_blocks.{i}"), new JointBlockOptions(channels, options.Heads)
            {
                Normalised = options.NormalisedHeads,
                Dual = options.DualAttentionLayers.Contains(i),
                EndsText = i == options.Layers - 1,
            }));
        }

        _outModulation = new Linear(Builder.At("norm_out.linear"), channels, 2 * channels, WeightInit.Zeros);
        _outLayer = new Linear(Builder.At("proj_out"), channels, patch * patch * options.OutChannels, WeightInit.Zeros);
    }

    public override double Dropout => 0;
    public override bool RecomputesBlocks => true;

    public override Tensor Forward(ForwardPass pass, Tensor x, Tensor noiseLabels, NetworkCondition? condition)
    {
        var (context, pooled) = TextCondition.Of(condition, x, _options.ContextDim, _options.PooledDim, "A Stable Diffusion 3 transformer");
        long height = x.shape[2] / _options.PatchSize, width = x.shape[3] / _options.PatchSize;
        var tokens = _patches.Forward(pass, x).Plus(Positions(height, width).to(x.dtype));
        Tensor? text = _context.ForwardFeatures(pass, context);
        var embedded = nn.functional.silu(_time.Forward(pass, noiseLabels).Plus(_pooled.Forward(pass, pooled)));
        for (int i = 0; i < _blocks.Count; i++)
        {
            using var scope = NewDisposeScope();
            (tokens, text) = _blocks[i].Forward(pass, tokens, text!, embedded);
            (tokens, text) = (tokens.MoveToOuterDisposeScope(), text?.MoveToOuterDisposeScope());
            if (pass.Encoded is not null && i == (_blocks.Count - 1) / 2)
                return pass.Encoded[int.MaxValue] = Tokens.Map(tokens, height, width).MoveToOuterDisposeScope();
        }

        var ends = _outModulation.Forward(pass, embedded).chunk(2, 1);
        return Tokens.Image(
            _outLayer.ForwardFeatures(pass, Tokens.Modulated(tokens, ends[1], ends[0])), height, width, _options.PatchSize);
    }

    // The middle of the table.
    private Tensor Positions(long height, long width)
    {
        long side = _options.PositionTableSide;
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
